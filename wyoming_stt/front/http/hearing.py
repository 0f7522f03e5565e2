"""One recording on its way from a request's body to its transcript: what all routes share."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator

from wyoming_stt.errors import ShuttingDownError
from wyoming_stt.events import Event, FinalTranscript
from wyoming_stt.front.drain import DRAIN_SHARE
from wyoming_stt.front.http.body import Body, not_empty, unless
from wyoming_stt.front.http.state import DoorState
from wyoming_stt.front.http.wishes import Wishes
from wyoming_stt.media_stream import MediaOptions, MediaStream
from wyoming_stt.observability.observer import observed
from wyoming_stt.recording import Listening, RecordingOptions
from wyoming_stt.transcript import Transcript

__all__ = ["Hearing", "hearing"]


class Hearing:
    """A recording of which the format is known.

    `events` may be iterated over once. They end with a final transcript, which comes also where the
    server has to stop before the recording ends; `ShuttingDownError` follows it then.
    """

    def __init__(
        self,
        door: DoorState,
        body: Body,
        media: MediaStream,
        listening: Listening,
        wishes: Wishes,
        *,
        time_is_up: asyncio.Future[None],
        name: str,
    ) -> None:
        self.body = body
        self.events: AsyncGenerator[Event, None] = self._listen()
        self._door = door
        self._media = media
        self._listening = listening
        self._wishes = wishes
        self._time_is_up = time_is_up
        self._name = name
        self._finals: list[FinalTranscript] = []
        self._is_cut_short = False

    @property
    def rtf(self) -> float:
        """Processing time by audio time, so far."""
        return self._listening.stats.rtf

    @property
    def transcript(self) -> Transcript:
        """All that was heard so far."""
        return Transcript.join(
            self._finals,
            duration_s=self._listening.stats.audio_s,
            language=self._wishes.language,
            model=self._listening.model or self._door.served.name,
        )

    async def to_the_end(self) -> Transcript:
        """Listen to everything; give up as soon as the client goes away.

        Raises:
            ClientDisconnect: it has; and whatever `events` raise.
        """

        async def listen() -> Transcript:
            async for _ in self.events:
                pass
            return self.transcript

        return await self.body.while_present(listen())

    async def _listen(self) -> AsyncGenerator[Event, None]:
        with observed(self._door.metrics, self._name) as watch:
            try:
                async for pcm in self._pieces():
                    for event in self._noted(await self._listening.accept(pcm)):
                        yield event
                watch.audio_ended()
                events = self._noted(await self._listening.finish())
            finally:
                watch.stats = self._listening.stats
            watch.final(self.transcript.text)
            for event in events:
                yield event
            if self._is_cut_short:
                heard_s = f"{watch.stats.audio_s:.1f} s"
                raise ShuttingDownError(f"the server is stopping; only {heard_s} were heard")

    async def _pieces(self) -> AsyncIterator[bytes]:
        """Yield PCM to the end, or until the server cannot wait any longer."""
        while (pcm := await unless(self._time_is_up, anext(self._media, None))) is not None:
            yield pcm
        self._is_cut_short = self._time_is_up.done()

    def _noted(self, events: list[Event]) -> list[Event]:
        self._finals += (event for event in events if isinstance(event, FinalTranscript))
        return events


@contextlib.asynccontextmanager
async def hearing(
    door: DoorState, body: Body, audio: AsyncIterator[bytes], wishes: Wishes, name: str
) -> AsyncIterator[Hearing]:
    """Read the head of a recording; leaving the block frees everything, at any time.

    Args:
        door: where it came in.
        body: of the request.
        audio: what of it is the recording, as its bytes arrive: a file of any kind.
        wishes: what its client asked for.
        name: of the door in the log and the metrics.

    Raises:
        HttpError: there is not a byte in it.
        AudioFormatError, LimitError: as `MediaStream`; and whatever `audio` raises.
    """
    limits = MediaOptions(door.options.max_duration_s, section="http")
    async with _time_is_up(door) as time_is_up, MediaStream(not_empty(audio), limits) as media:
        options = wishes.utterance(door.defaults, media.format)
        recording = RecordingOptions(place_timeout_s=door.options.place_timeout_s)
        async with Listening(door.engine, options, recording) as listening:
            heard = Hearing(door, body, media, listening, wishes, time_is_up=time_is_up, name=name)
            async with contextlib.aclosing(heard.events):
                yield heard


@contextlib.asynccontextmanager
async def _time_is_up(door: DoorState) -> AsyncIterator[asyncio.Future[None]]:
    """Count from when the server begins to stop, also while the head has not come yet."""

    async def count() -> None:
        await door.draining.wait()
        await asyncio.sleep(DRAIN_SHARE * door.options.drain_s)

    counting = asyncio.create_task(count(), name="count down")
    try:
        yield counting
    finally:
        counting.cancel()
        await asyncio.gather(counting, return_exceptions=True)
