"""A client's audio on its way to the engine: one stream for the client, whatever fails in it."""

from typing import Final, Self

from wyoming_stt.engine import Engine, LeaseStats, UtteranceOptions
from wyoming_stt.errors import ModelError, OverloadedError, SttError
from wyoming_stt.events import Event, moved
from wyoming_stt.recording import Listening, RecordingOptions
from wyoming_stt.types import SAMPLE_RATE

__all__ = ["Microphone", "added"]

DEAF_S: Final = 2.0
"""Audio that is not listened to when the engine takes nothing: time for a place to become free, and
not an error for every word until then."""
CALM_S: Final = 2.0
"""Without speech for so long, nobody is in the middle of something."""


class Microphone:
    """Listens like `Listening`, and anew after each error; positions count from the first byte."""

    def __init__(
        self, engine: Engine, options: UtteranceOptions, recording: RecordingOptions
    ) -> None:
        self._engine = engine
        self._options = options
        self._recording = recording
        self._received = self._restless = self._deaf_until = 0
        self._past = LeaseStats()
        self._listening = Listening(engine, options, recording)
        self._begins_at = 0

    @property
    def holds_lease(self) -> bool:
        """Whether somebody speaks."""
        return self._listening.holds_lease

    @property
    def is_calm(self) -> bool:
        """Whether nobody has spoken for a while."""
        return self._received - self._restless > self._options.format.seconds_to_bytes(CALM_S)

    @property
    def stats(self) -> LeaseStats:
        """What all of it has cost so far; `skipped_s` is what the engine was spared."""
        past, now = self._past, self._listening.stats
        return LeaseStats(
            audio_s=self._received / self._options.format.seconds_to_bytes(1),
            queue_s=past.queue_s + now.queue_s,
            decode_s=past.decode_s + now.decode_s,
            skipped_s=past.skipped_s + self._listening.skipped_s,
        )

    async def accept(self, pcm: bytes) -> list[Event]:
        """Take PCM of any length; return what it brought about.

        Raises:
            SttError: as `Listening.accept`; what comes next is listened to all the same.
        """
        unheard = min(len(pcm), max(0, self._deaf_until - self._received))
        if unheard:
            pcm = bytes(unheard) + pcm[unheard:]
        self._received += len(pcm)
        try:
            events = await self._listening.accept(pcm)
        except SttError as error:
            await self._begin_anew(error)
            raise
        if events or self.holds_lease:
            self._restless = self._received
        return self._placed(events)

    async def finish(self) -> list[Event]:
        """End it; the last event is a final transcript, without text if need be.

        Raises:
            SttError: as `Listening.finish`; called again, this returns an empty transcript.
        """
        try:
            return self._placed(await self._listening.finish())
        except SttError as error:
            await self._begin_anew(error)
            raise

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._listening.aclose()

    async def _begin_anew(self, error: SttError) -> None:
        await self._listening.aclose()
        self._past = self.stats
        self._listening = Listening(self._engine, self._options, self._recording)
        half_frame = self._received % self._options.format.frame_bytes
        self._begins_at = self._received - half_frame
        await self._listening.accept(bytes(half_frame))
        if isinstance(error, OverloadedError | ModelError):
            self._deaf_until = self._received + self._options.format.seconds_to_bytes(DEAF_S)

    def _placed(self, events: list[Event]) -> list[Event]:
        """Move events of the present stream to where they are in all of the audio."""
        audio = self._options.format
        offset = self._begins_at // audio.frame_bytes * SAMPLE_RATE // audio.rate
        return [moved(event, offset) for event in events] if offset else events


def added(now: LeaseStats, past: LeaseStats) -> LeaseStats:
    """Return what has been added to `past`."""
    return LeaseStats(
        now.audio_s - past.audio_s,
        now.queue_s - past.queue_s,
        now.decode_s - past.decode_s,
        now.skipped_s - past.skipped_s,
    )
