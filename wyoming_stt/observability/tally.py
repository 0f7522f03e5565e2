"""What happened since the start, in plain numbers: for `/health`, the log and the statistics."""

import math
from collections import defaultdict, deque
from datetime import UTC, datetime
from typing import Final, NamedTuple

from wyoming_stt.engine import Engine
from wyoming_stt.errors import BadRequestError, OverloadedError, ShuttingDownError, SttError
from wyoming_stt.observability.observer import LEFT, OK, Report

__all__ = ["Counts", "Spread", "Tally", "ToldError", "counted"]

MAX_LAST_ERRORS: Final = 10
MAX_RECENT: Final = 1_000
"""Utterances that percentiles are taken of: some days of a household, minutes of a busy server."""

Counts = dict[tuple[str, str], float]
"""By name and label, such as ("utterances", "wyoming ok")."""


class ToldError(NamedTuple):
    """An error that the server had to answer for."""

    at: datetime
    door: str
    code: str


class Spread(NamedTuple):
    """How values are spread."""

    average: float
    p50: float
    p95: float
    p99: float


class Tally:
    """An `Observer` that keeps count of all doors; costs next to nothing, so it always does."""

    def __init__(self) -> None:
        self.counts: Counts = defaultdict(float, {("starts", ""): 1})
        self.last_errors: deque[ToldError] = deque(maxlen=MAX_LAST_ERRORS)
        """Newest first."""
        self.consecutive_errors = 0
        """Utterances in a row that failed, and the server has to answer for it."""
        self.active = 0
        """Utterances that are open."""
        self._rtfs: deque[float] = deque(maxlen=MAX_RECENT)
        self._speech_ratios: deque[float] = deque(maxlen=MAX_RECENT)

    @property
    def rtf(self) -> Spread | None:
        """Decoding by audio time of recent utterances; None before the first."""
        return _spread(self._rtfs)

    @property
    def speech_ratio(self) -> float | None:
        """Share of recent audio in which the detector heard speech; None where it is not known."""
        ratios = self._speech_ratios
        return sum(ratios) / len(ratios) if ratios else None

    def __str__(self) -> str:
        """Sum up, in a line for the log."""
        spread, ratio = self.rtf, self.speech_ratio
        speed = ""
        if spread is not None:
            average, *ranks = (f"{value:.3f}" for value in spread)
            speed = f"; RTF: {average} (p50 {ranks[0]}, p95 {ranks[1]}, p99 {ranks[2]})"
        speech = "" if ratio is None else f"; speech: {100 * ratio:.0f} %"
        number = sum(value for (name, _), value in self.counts.items() if name == "utterances")
        heard_s = self.counts.get(("audio_s", ""), 0.0)
        errors = sum(value for (name, _), value in self.counts.items() if name == "errors")
        return (
            f"utterances: {number:.0f}; audio: {heard_s:.0f} s, dropped: 0; "
            f"errors told: {errors:.0f}, in a row: {self.consecutive_errors}{speed}{speech}"
        )

    def began(self, door: str) -> None:
        """Count an open utterance."""
        del door
        self.active += 1

    def ended(self, report: Report) -> None:
        """Count a closed one, and what it cost."""
        self.active -= 1
        self.counts["utterances", f"{report.door} {report.outcome}"] += 1
        stats = report.stats
        for name in ("audio_s", "decode_s", "queue_s"):
            self.counts[name, ""] += getattr(stats, name)
        if report.outcome == OK:
            self.consecutive_errors = 0
        elif report.outcome not in _NO_FAULT_OF_OURS:
            self.consecutive_errors += 1
        if stats.audio_s:
            self._rtfs.append(stats.rtf)
            if report.skipped_s is not None:
                self._speech_ratios.append(1 - report.skipped_s / stats.audio_s)

    def told(self, door: str, code: str, *, is_ours: bool) -> None:
        """Count an error that a client was told; remember it if the server is to blame."""
        self.counts["errors", code] += 1
        if is_ours:
            self.last_errors.appendleft(ToldError(datetime.now(UTC), door, code))


def counted(tally: Tally, engine: Engine) -> Counts:
    """Return everything that was counted so far: at the doors, and in the engine."""
    states, levels = engine.lifecycle.record.counts, engine.relief.counts
    return {
        **tally.counts,
        **{("model_states", state.value): times for state, times in states.items()},
        **{("load_levels", level.name.lower()): times for level, times in levels.items()},
    }


def _spread(values: deque[float]) -> Spread | None:
    if not values:
        return None
    ordered = sorted(values)
    ranks = (ordered[math.ceil(share * len(ordered)) - 1] for share in (0.5, 0.95, 0.99))
    return Spread(sum(ordered) / len(ordered), *ranks)


def _kinds(base: type[SttError]) -> set[str]:
    return {base.code}.union(*map(_kinds, base.__subclasses__()))


_NO_FAULT_OF_OURS: Final = {LEFT, *_kinds(BadRequestError)} | {
    OverloadedError.code,
    ShuttingDownError.code,
}
