"""One piece of a recording in the hands of the engine."""

from contextlib import AsyncExitStack
from typing import Final

from wyoming_stt.audio.cut import Cutter
from wyoming_stt.engine import Engine, Lease, LeaseStats, UtteranceOptions
from wyoming_stt.events import Endpoint, Event, FinalTranscript, PartialTranscript, moved
from wyoming_stt.types import SAMPLE_RATE

__all__ = ["Piece"]

_MORE_S: Final = 2.0
"""A lease decodes audio when it has gathered some, and gathers more while the machine is slow."""


class Piece:
    """From its first byte to where it is cut, where the speaker has finished, or the end.

    `first` is the byte of the recording at which it begins. Events have positions on the recording.
    """

    def __init__(
        self, engine: Engine, options: UtteranceOptions, cutter: Cutter, first: int
    ) -> None:
        self.end: int | None = None
        """The byte of the recording after its last, once it has ended."""
        self._engine = engine
        self._options = options
        self._cutter = cutter
        self._first = first
        self._stack = AsyncExitStack()
        self._lease: Lease | None = None
        self._kept = bytearray()
        self._received = self._fed = 0
        self._has_words = False
        self._undecoded = options.format.seconds_to_bytes(engine.options.gather_s + _MORE_S)

    @property
    def stats(self) -> LeaseStats:
        """What it has cost so far."""
        return self._lease.stats if self._lease else LeaseStats()

    @property
    def model(self) -> str | None:
        """Name of the model that decodes it; None before it was needed."""
        return self._lease.model if self._lease else None

    @property
    def leftover(self) -> bytes:
        """What was given to it after its end."""
        num_bytes = self._first + self._received - self._stop
        return bytes(self._kept[max(0, len(self._kept) - num_bytes) :])

    async def open(self, wait_s: float | None, *, background: bool = False) -> None:
        """Take a lease, once the model is ready; None: wait as long as the engine thinks right.

        In the background it waits for no place, and only idle moments are spent on it.

        Raises:
            OverloadedError, ShuttingDownError, ModelError: there is none to be had.
        """
        await self._engine.ready()
        lease = (
            self._engine.open_background(self._options)
            if background
            else self._engine.open(self._options, wait_s=wait_s)
        )
        self._lease = await self._stack.enter_async_context(lease)

    async def accept(self, pcm: bytes) -> list[Event]:
        """Take whole frames; those after `end`, if it has one now, are `leftover`."""
        self._kept += pcm
        self._received += len(pcm)
        cut = self._cutter.push(pcm)
        events = await self._feed(self._cutter.settled if cut is None else cut)
        if cut is not None and self.end is None:
            events += await self._finish()
        return events

    async def finish(self) -> list[Event]:
        """End it here; a `leftover` there may be all the same, where the speaker had finished."""
        events = await self._feed(self._received)
        if self.end is None:
            events += await self._finish()
        return events

    async def aclose(self) -> None:
        """Give the lease back."""
        await self._stack.aclose()

    @property
    def _stop(self) -> int:
        return self._first + self._received if self.end is None else self.end

    async def _feed(self, until: int) -> list[Event]:
        start = len(self._kept) - (self._received - self._fed)
        ready = bytes(self._kept[start : start + until - self._fed])
        self._fed += len(ready)
        # What the lease has not decoded yet stays: all after an endpoint is for the next piece.
        del self._kept[: max(0, start - self._undecoded)]
        return self._place(await self._open_lease.accept(ready))

    async def _finish(self) -> list[Event]:
        self.end = self._first + self._fed
        return self._place(await self._open_lease.finish())

    @property
    def _open_lease(self) -> Lease:
        if self._lease is None:
            raise RuntimeError("the piece is not open")
        return self._lease

    def _place(self, events: list[Event]) -> list[Event]:
        """Move events to the recording; the end of a piece without a word is none."""
        audio = self._options.format
        for event in events:
            if isinstance(event, Endpoint):
                frames = event.position * audio.rate // SAMPLE_RATE
                self.end = self._first + frames * audio.frame_bytes
            self._has_words |= isinstance(event, PartialTranscript | FinalTranscript) and bool(
                event.text
            )
        offset = self._first // audio.frame_bytes * SAMPLE_RATE // audio.rate
        return [
            moved(event, offset)
            for event in events
            if self._has_words or not isinstance(event, Endpoint | FinalTranscript)
        ]
