"""One WebSocket client: carries out what its conversation decides."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable
from typing import Final, NoReturn, TypeVar

from starlette.websockets import WebSocket, WebSocketDisconnect

from wyoming_stt.engine import ModelState
from wyoming_stt.errors import ShuttingDownError, SttError
from wyoming_stt.events import Event
from wyoming_stt.front.http.body import unless
from wyoming_stt.front.http.errors import problem_of
from wyoming_stt.front.http.state import DoorState
from wyoming_stt.front.http.websocket.conversation import (
    Audio,
    Close,
    Conversation,
    Leave,
    Tell,
    problem_message,
)
from wyoming_stt.front.http.websocket.messages import ErrorMessage, ServerMessage, heard, text_of
from wyoming_stt.front.http.websocket.microphone import Microphone, added
from wyoming_stt.front.http.websocket.pace import pace_of
from wyoming_stt.front.http.websocket.patience import Patience
from wyoming_stt.observability.observer import Watch, observed
from wyoming_stt.recording import RecordingOptions

__all__ = ["serve_client"]

logger = logging.getLogger(__name__)

T = TypeVar("T")

DOOR: Final = "websocket"
AHEAD_BYTES: Final = 3 << 20
"""What a client may say while it waits for a place: as much as 48 kHz make of the default wait."""


async def serve_client(socket: WebSocket, door: DoorState) -> None:
    """Let a client in, and serve it until it leaves or has to."""
    connection = _Connection(socket, door)
    patience = asyncio.create_task(connection.patience.watch(), name="websocket patience")
    try:
        await socket.accept()
        await connection.send(connection.conversation.ready())
        first = await connection.next()
        options = connection.conversation.utterance
        recording = RecordingOptions(
            keep_silence=False, place_timeout_s=door.options.place_timeout_s
        )
        async with Microphone(door.engine, options, recording) as microphone:
            leave = await _Utterances(connection, door, microphone, first).follow()
        await connection.close(leave)
    except WebSocketDisconnect as gone:
        logger.debug("the client has gone (%d)", gone.code)
    finally:
        patience.cancel()


class _Connection:
    """The socket and the rules for what comes through it."""

    def __init__(self, socket: WebSocket, door: DoorState) -> None:
        self.pace = pace_of(socket.scope)
        self.pace.max_joined_bytes = door.options.max_frame_bytes
        self.patience = Patience(door.options, door.draining)
        self.conversation = Conversation(door.options, door.defaults, lambda: door.served)
        self._socket = socket
        self._metrics = door.metrics
        self._ahead: deque[str | bytes] = deque()

    async def next(self) -> Audio | Leave:
        """Return what has to be done next; mistakes are answered on the way."""
        while True:
            message = await self.patience.wait_for(self._receive)
            action = message if isinstance(message, Leave) else self.conversation.receive(message)
            match action:
                case Audio() | Leave():
                    return action
                case Tell(error):
                    await self.tell(error, is_ours=False)

    async def unless_gone(self, work: Awaitable[T]) -> T:
        """Do the work (never None), and give it up if the client goes away; what it says is kept.

        Raises:
            WebSocketDisconnect: it has gone.
        """
        reading = asyncio.create_task(self._read_ahead(), name="read ahead")
        try:
            result = await unless(reading, work)
            return reading.result() if result is None else result
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def send(self, message: ServerMessage) -> None:
        """Send JSON; takes as long as the client takes to read."""
        await self._socket.send_text(message.model_dump_json(exclude_none=True))

    async def tell(self, error: ErrorMessage, *, is_ours: bool) -> None:
        """Tell of an error, here and there."""
        logger.warning("%s: %s", error.code, error.message)
        self._metrics.told(DOOR, error.code, is_ours=is_ours)
        await self.send(error)

    async def close(self, leave: Leave) -> None:
        """Say why, and close."""
        if leave.error is not None:
            await self.tell(leave.error, is_ours=False)
        await self._socket.close(leave.code)

    async def _read_ahead(self) -> NoReturn:
        room = AHEAD_BYTES
        while room > 0:
            message = await self._from_socket()
            room -= len(message)
            self._ahead.append(message)
        await asyncio.Event().wait()  # the rest stays with the kernel, the news that it left too
        raise AssertionError

    async def _receive(self) -> str | bytes:
        return self._ahead.popleft() if self._ahead else await self._from_socket()

    async def _from_socket(self) -> str | bytes:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message["code"])
        pcm: bytes | None = message.get("bytes")
        return message["text"] if pcm is None else pcm


class _Utterances:
    """What a client says, one utterance after the other. Each is observed, silence is not."""

    def __init__(
        self, connection: _Connection, door: DoorState, microphone: Microphone, first: Audio | Leave
    ) -> None:
        self._connection = connection
        self._door = door
        self._microphone = microphone
        self._next: Audio | Leave | None = first
        self._leave: Leave | None = None
        self._past = microphone.stats

    async def follow(self) -> Leave:
        """Tell the client what it says, to its last word; return how it ended."""
        while True:
            try:
                await self._wait_for_speech()
            except SttError as error:
                problem = problem_of(error)
                message = problem_message(problem)
                await self._connection.tell(message, is_ours=problem.is_ours)
                if isinstance(error, ShuttingDownError):
                    return Leave(Close.GOING_AWAY)
            else:
                if self._leave is not None:
                    return self._leave

    async def _wait_for_speech(self) -> None:
        events = await self._hear()
        if not self._microphone.holds_lease and not text_of(events):
            await self._send(events)
            return
        with observed(self._door.metrics, DOOR) as watch:
            try:
                events = await self._follow_utterance(events, watch)
            finally:
                stats = self._microphone.stats
                watch.stats, self._past = added(stats, self._past), stats
                watch.skipped_s = watch.stats.skipped_s
            watch.final(text_of(events))
        await self._send(events)

    async def _follow_utterance(self, events: list[Event], watch: Watch) -> list[Event]:
        """Return its last events."""
        while self._microphone.holds_lease and not text_of(events):
            await self._send(events)
            events = await self._hear(watch)
        return events

    async def _hear(self, watch: Watch | None = None) -> list[Event]:
        """Take one step: more audio, or the end of it."""
        if self._leave is None:
            self._connection.pace.is_calm = self._microphone.is_calm
            step, self._next = self._next or await self._connection.next(), None
            if isinstance(step, Audio):
                return await self._unless_gone(self._microphone.accept(step.pcm))
            self._leave = step
            if watch is not None:
                watch.audio_ended()
        return await self._unless_gone(self._microphone.finish())

    async def _unless_gone(self, work: Awaitable[list[Event]]) -> list[Event]:
        """Watch the client where the work may wait for long; each time would cost too much."""
        engine = self._door.engine
        is_served = self._microphone.holds_lease or (
            engine.state is ModelState.READY and engine.free_places > 0
        )
        return await (work if is_served else self._connection.unless_gone(work))

    async def _send(self, events: list[Event]) -> None:
        for message in heard(events, is_end=self._leave is not None):
            await self._connection.send(message)
