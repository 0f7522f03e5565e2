"""The degrade ladder: how much to do without while more is asked than the machine can decode.

Pure arithmetic on what was decoded and how long it waited; the clock is the caller's.

A call's decoding time says how fast the model is, and nothing of how many ask for it. What they
notice is the turnaround: each has one call under way at a time, and where that takes longer than
its audio lasts, waiting included, a speaker is left behind.
"""

from collections import deque
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

from wyoming_stt.errors import SettingsError

__all__ = ["DegradeLadder", "DegradeOptions", "Level", "Load"]

_LEAST_AUDIO_S: Final = 1.0
"""Less counts as this much: the end of an utterance costs and brings no audio."""
_NO_TIME_LEFT: Final = 0.9
"""Share of the decoders' time; handing over takes the rest."""
_MAX_PATIENCE: Final = 8
"""Each relapse doubles the calm that a step back needs, up to this factor: 4 minutes of 30 s."""


class Level(IntEnum):
    """Each level does without what the ones before it do without, and one thing more."""

    NORMAL = 0
    """Everything."""
    WARNING = 1
    """Audio is decoded in larger pieces: fewer hand-overs, words appear later."""
    DEGRADE = 2
    """Greedy search instead of beam, and no partial transcripts."""
    EMERGENCY = 3
    """Work nobody waits for is refused: jobs pause."""
    FAILOVER = 4
    """New utterances go to the fallback model."""


@dataclass(frozen=True, slots=True)
class DegradeOptions:
    """When to climb and when to step back."""

    enabled: bool = True
    """Off: overload makes everything later, and nothing poorer."""
    rtf: tuple[float, float, float, float] = (0.7, 0.9, 1.2, 1.5)
    """Real-time factors that lead to the four levels above normal: waiting and decoding by audio
    time, so that above 1 a speaker is left behind."""
    queue_wait_s: tuple[float, float, float, float] = (0.3, 0.8, 2.0, 4.0)
    """Mean waits, in seconds, that do the same: for a decoder, or, while the decoders have no time
    left, for a place. One of the three is enough."""
    short_window_s: float = 10.0
    """What is looked at to climb: a few utterances."""
    long_window_s: float = 60.0
    """What the last level asks for, too: a model is not exchanged for one busy moment, but where it
    is too slow for a single speaker, or the decoders have no time left for so long."""
    hold_s: float = 2.0
    """Least time at a level before the next one up: what a level saves must show first."""
    calm_s: float = 30.0
    """Time without trouble before each step back."""

    def __post_init__(self) -> None:
        for name in ("rtf", "queue_wait_s"):
            limits = getattr(self, name)
            if len(limits) != len(Level) - 1 or sorted(limits) != list(limits) or limits[0] <= 0:
                raise SettingsError(f"degrade.{name} must be four rising numbers above 0")
        if not 0 < self.short_window_s <= self.long_window_s:
            raise SettingsError(
                "degrade.short_window_s must be above 0, and degrade.long_window_s no less"
            )
        if self.hold_s < 0 or self.calm_s < 0:
            raise SettingsError("degrade.hold_s and degrade.calm_s cannot be below 0")


@dataclass(frozen=True, slots=True)
class Load:
    """What a window held."""

    rtf: float = 0.0
    """Decoding by audio time: of the model, whatever is asked of it."""
    turnaround: float = 0.0
    """Waiting and decoding by audio time."""
    queue_wait_s: float = 0.0
    """Mean wait of calls for a decoder, or of utterances for a place, where that is longer and due
    to the decoders."""
    busy: float = 0.0
    """Share of the decoders' time that was used."""

    @property
    def is_saturated(self) -> bool:
        """Whether it is for want of decoders that somebody waits."""
        return self.busy >= _NO_TIME_LEFT


@dataclass(frozen=True, slots=True)
class _Call:
    at_s: float
    audio_s: float
    decode_s: float
    queue_s: float


@dataclass(frozen=True, slots=True)
class _Admission:
    at_s: float
    queue_s: float


class _Window:
    """What happened in the last seconds, and its sums."""

    def __init__(self, seconds: float, num_decoders: int) -> None:
        self._seconds = seconds
        self._capacity_s = seconds * num_decoders
        self.calls: deque[_Call] = deque()
        self.admissions: deque[_Admission] = deque()

    def load(self, now_s: float) -> Load:
        for past in (self.calls, self.admissions):
            while past and past[0].at_s <= now_s - self._seconds:
                past.popleft()
        audio_s = max(_LEAST_AUDIO_S, sum(call.audio_s for call in self.calls))
        decode_s = sum(call.decode_s for call in self.calls)
        queue_s = sum(call.queue_s for call in self.calls)
        load = Load(
            decode_s / audio_s,
            (queue_s + decode_s) / audio_s,
            queue_s / max(1, len(self.calls)),
            min(1.0, decode_s / self._capacity_s),
        )
        if load.is_saturated and self.admissions:
            stood_s = sum(admission.queue_s for admission in self.admissions)
            mean_s = stood_s / len(self.admissions)
            load = replace(load, queue_wait_s=max(load.queue_wait_s, mean_s))
        return load


class DegradeLadder:
    """Climbs one level at a time while there is trouble, and steps back one at a time in calm."""

    def __init__(self, options: DegradeOptions, num_decoders: int = 1) -> None:
        self.level = Level.NORMAL
        self._options = options
        self._short = _Window(options.short_window_s, num_decoders)
        self._long = _Window(options.long_window_s, num_decoders)
        self._since_s = float("-inf")
        self._trouble_s = float("-inf")
        self._returned_s = float("-inf")
        """When it came back from the last level."""
        self._patience = 1

    def record(self, now_s: float, audio_s: float, decode_s: float, queue_s: float) -> None:
        """Note a call into the model; all in seconds, `now_s` of any clock that never goes back."""
        call = _Call(now_s, audio_s, decode_s, queue_s)
        self._short.calls.append(call)
        self._long.calls.append(call)

    def record_admission(self, now_s: float, queue_s: float) -> None:
        """Note how long an utterance waited for a place, whether or not it got one."""
        admission = _Admission(now_s, queue_s)
        self._short.admissions.append(admission)
        self._long.admissions.append(admission)

    def load(self, now_s: float) -> tuple[Load, Load]:
        """Return the load of the short window and of the long one."""
        return self._short.load(now_s), self._long.load(now_s)

    def update(self, now_s: float) -> Level:
        """Move by one level at most, and return where that leads."""
        if not self._options.enabled:
            return self.level
        short, long = self.load(now_s)
        wanted = self._wanted(short)
        if wanted is Level.FAILOVER and not (self._is_lasting(long) or self._is_relapse(now_s)):
            wanted = Level.EMERGENCY
        if wanted >= self.level and wanted is not Level.NORMAL:
            self._trouble_s = now_s
        if wanted > self.level and now_s - self._since_s >= self._options.hold_s:
            self._climb(now_s)
        elif self.level and self._is_calm(now_s):
            self._step_back(now_s)
        return self.level

    def _wanted(self, load: Load) -> Level:
        """Return the level that a load asks for."""
        limits = zip(self._options.rtf, self._options.queue_wait_s, strict=True)
        return Level(
            sum(load.turnaround >= rtf or load.queue_wait_s >= wait_s for rtf, wait_s in limits)
        )

    def _is_lasting(self, long: Load) -> bool:
        """Whether more is asked of the model than it can do, not just at this moment."""
        is_too_slow = long.rtf >= self._options.rtf[-1]
        return is_too_slow or (long.is_saturated and self._wanted(long) is Level.FAILOVER)

    def _is_relapse(self, now_s: float) -> bool:
        """Whether it has just come back from the last level: nothing has to be proven again."""
        return now_s - self._returned_s < self._options.long_window_s

    def _is_calm(self, now_s: float) -> bool:
        calm_s = self._options.calm_s * self._patience
        return now_s - max(self._since_s, self._trouble_s) >= calm_s

    def _climb(self, now_s: float) -> None:
        if self.level is Level.EMERGENCY and self._is_relapse(now_s):
            # The fallback model kept up, the chosen one again did not.
            self._patience = min(2 * self._patience, _MAX_PATIENCE)
        self.level = Level(self.level + 1)
        self._since_s = now_s

    def _step_back(self, now_s: float) -> None:
        if self.level is Level.FAILOVER:
            self._returned_s = now_s
        self.level = Level(self.level - 1)
        self._since_s = now_s
        if self.level is Level.NORMAL:
            self._patience = 1
