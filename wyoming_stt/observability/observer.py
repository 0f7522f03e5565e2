"""What every door tells about its utterances, and who wants to know."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

from wyoming_stt.engine import LeaseStats
from wyoming_stt.errors import SttError

__all__ = ["LEFT", "OK", "Nobody", "Observer", "Report", "Watch", "observed"]

logger = logging.getLogger(__name__)

OK: Final = "ok"
LEFT: Final = "left"
"""The client went away, or was sent away, before the last word."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one utterance."""

    door: str
    outcome: str
    """`ok`, `left`, or the code of the `SttError` that ended it."""
    stats: LeaseStats
    final_latency_s: float | None = None
    """From the end of its audio to the final transcript, where both happened."""
    skipped_s: float | None = None
    """Audio in which the detector heard no speech, so that it was not decoded; None: not known."""


class Observer(Protocol):
    """Whoever wants to know. Its methods return at once and never fail."""

    def began(self, door: str) -> None:
        """Note that an utterance is open."""
        ...

    def ended(self, report: Report) -> None:
        """Note that it is closed."""
        ...

    def told(self, door: str, code: str, *, is_ours: bool) -> None:
        """Note that a client was told an error; `is_ours`: the server has to answer for it."""
        ...


class Nobody:
    """The observer where none is wanted."""

    def began(self, door: str) -> None:
        """Do nothing."""

    def ended(self, report: Report) -> None:
        """Do nothing."""

    def told(self, door: str, code: str, *, is_ours: bool) -> None:
        """Do nothing."""


@dataclass(slots=True)
class Watch:
    """An utterance that is going on; its door fills in what it knows."""

    stats: LeaseStats = field(default_factory=LeaseStats)
    """Put the lease's own here: it is read at the end."""
    final_latency_s: float | None = None
    skipped_s: float | None = None
    """Audio that was not decoded for lack of speech, where that is known."""
    _audio_ended: float | None = None

    def audio_ended(self) -> None:
        """Note that the last audio has come, or that the speaker was found to have finished."""
        self._audio_ended = time.perf_counter()

    def final(self, text: str) -> None:
        """Note the final transcript, before it is sent."""
        if self._audio_ended is not None:
            self.final_latency_s = time.perf_counter() - self._audio_ended
        logger.debug("%r", text)


@contextmanager
def observed(observer: Observer, door: str) -> Iterator[Watch]:
    """Count an utterance while the block runs; log it when it has come to its end.

    with observed(observer, "wyoming") as watch:
        async with engine.open(options) as lease:
            watch.stats = lease.stats
    """
    watch, outcome = Watch(), LEFT
    observer.began(door)
    try:
        yield watch
        outcome = OK
        logger.info(
            "%s: %.2f s of audio, queue %.0f ms, decode %.0f ms, RTF %.3f",
            door,
            watch.stats.audio_s,
            watch.stats.queue_s * 1000,
            watch.stats.decode_s * 1000,
            watch.stats.rtf,
        )
    except SttError as error:
        outcome = error.code
        raise
    finally:
        observer.ended(Report(door, outcome, watch.stats, watch.final_latency_s, watch.skipped_s))
