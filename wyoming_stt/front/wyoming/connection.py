"""One client: its socket, its conversation, and the utterance it may have open."""

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from typing import Final

from wyoming.error import Error
from wyoming.event import Event, Eventable, async_write_event
from wyoming.info import Describe
from wyoming.ping import Ping

from wyoming_stt.engine import Engine
from wyoming_stt.errors import BadRequestError, LimitError, ShuttingDownError, SttError
from wyoming_stt.front.wyoming.conversation import Audio, Begin, Conversation, End, Reply, State
from wyoming_stt.front.wyoming.inbox import Inbox
from wyoming_stt.front.wyoming.options import WyomingOptions
from wyoming_stt.front.wyoming.utterance import DOOR, transcribe
from wyoming_stt.front.wyoming.wire import read_event
from wyoming_stt.observability.observer import Observer

__all__ = ["Connection"]

logger = logging.getLogger(__name__)

_GULP_BYTES: Final = 65_536


class Connection:
    """Serves one client until it leaves, errs, or the server drains.

    Two tasks share the work: one reads events, so that `describe` and `ping` are answered whatever
    the engine does; one carries the open utterance. Little audio may wait between them: then a busy
    engine stops the reading, and TCP stops the client.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        conversation: Conversation,
        engine: Engine,
        options: WyomingOptions,
        *,
        observer: Observer,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._conversation = conversation
        self._engine = engine
        self._options = options
        self._observer = observer
        self._peer = _peer(writer)
        self._inbox = Inbox()
        self._answered = asyncio.Event()
        self._deadline: asyncio.Timeout | None = None
        self._awaits_event = False
        self._drain_until: float | None = None

    async def converse(self) -> SttError | None:
        """Serve the client; return what it must be told about why that ended, if anything."""
        try:
            async with asyncio.timeout(None) as self._deadline, asyncio.TaskGroup() as tasks:
                await self._receive(tasks)
        except TimeoutError:
            return self._reason_of_deadline()
        except ExceptionGroup as group:
            return self._reason_of(group.exceptions[0])
        finally:
            self._deadline = None
        return None

    async def close(self, failure: SttError | None = None) -> None:
        """Say why, and part so that the client can still read it."""
        try:
            if failure is not None:
                logger.warning("%s: %s: %s", self._peer, failure.code, failure)
                is_ours = not isinstance(failure, BadRequestError)
                self._observer.told(DOOR, failure.code, is_ours=is_ours)
                await self._send([Error(str(failure), failure.code)])
            await self._linger()
            self._writer.close()
            async with asyncio.timeout(self._options.linger_s):
                await self._writer.wait_closed()
        except TimeoutError:
            self.abort()
        except OSError as error:
            logger.debug("%s: while closing: %s", self._peer, error)

    def abort(self) -> None:
        """Part at once; what is unsent stays unsent."""
        self._writer.transport.abort()

    def drain(self, until: float) -> None:
        """Take no new utterance; end when the open one does, or at that time of the event loop."""
        self._drain_until = until
        self._set_deadline()

    async def _receive(self, tasks: asyncio.TaskGroup) -> None:
        while (event := await self._next_event()) is not None:
            if self._conversation.state is State.FINISHING and not _is_immediate(event):
                await self._answered.wait()
            match self._conversation.receive(event):
                case Reply(message):
                    await self._send([message])
                case Begin() as begin:
                    self._inbox = Inbox()
                    self._answered.clear()
                    tasks.create_task(self._transcribe(begin, self._inbox))
                case Audio(pcm):
                    await self._inbox.put(pcm)
                case End():
                    self._inbox.end()
        if self._conversation.state is State.LISTENING:
            raise ConnectionResetError("left in the middle of an utterance")

    async def _next_event(self) -> Event | None:
        self._awaits_event = True
        self._set_deadline()
        first = await self._reader.read(1)
        self._awaits_event = False
        self._set_deadline()
        return await read_event(self._reader, first, self._options) if first else None

    async def _transcribe(self, begin: Begin, inbox: Inbox) -> None:
        await transcribe(self._engine, begin, inbox, self._send, self._observer)
        self._conversation.answered()
        self._answered.set()
        inbox.close()
        self._set_deadline()

    def _set_deadline(self) -> None:
        """Decide how long this may go on without anything happening."""
        if self._deadline is None:
            return
        now = asyncio.get_running_loop().time()
        if self._drain_until is not None:
            when = self._drain_until if self._conversation.owes_transcript else now
            self._deadline.reschedule(when)
        elif self._awaits_event and self._conversation.state is not State.FINISHING:
            self._deadline.reschedule(now + self._options.idle_timeout_s)
        else:
            self._deadline.reschedule(None)

    def _reason_of_deadline(self) -> SttError | None:
        if self._drain_until is None:
            limit = f"{self._options.idle_timeout_s:g} s"
            return LimitError("nothing has come for long", limit, "wyoming.idle_timeout_s")
        if self._conversation.owes_transcript:
            return ShuttingDownError("the server is stopping and could not wait any longer")
        return None

    def _reason_of(self, error: Exception) -> SttError | None:
        match error:
            case SttError():
                return error
            case OSError():
                logger.debug("%s: %s", self._peer, error)
                return None
            case _:
                logger.error("%s: this is a fault of the server", self._peer, exc_info=error)
                return SttError("the server failed; its log tells why")

    async def _send(self, messages: Iterable[Eventable]) -> None:
        try:
            async with asyncio.timeout(self._options.write_timeout_s):
                for message in messages:
                    if self._writer.is_closing():
                        # Told here, because asyncio's `writelines` trips over a lost connection
                        # (python/cpython#136234).
                        raise ConnectionResetError("the client has gone")
                    await async_write_event(message.event(), self._writer)
        except TimeoutError:
            self.abort()
            raise ConnectionAbortedError("the client does not read its answers") from None

    async def _linger(self) -> None:
        """Swallow what still comes, so that closing does not reset what is still going out."""
        if self._reader.at_eof():
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._options.linger_s):
                self._writer.write_eof()
                while await self._reader.read(_GULP_BYTES):
                    pass


def _is_immediate(event: Event) -> bool:
    return Describe.is_type(event.type) or Ping.is_type(event.type)


def _peer(writer: asyncio.StreamWriter) -> str:
    match writer.get_extra_info("peername"):
        case [host, port, *_]:
            return f"{host} port {port}"
        case _:
            return "local client"
