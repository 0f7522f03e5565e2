"""The degrade ladder: how much to do without while more is asked than the machine can decode.

Pure arithmetic on what was decoded and how long it waited; the clock is the caller's.
"""

from collections import deque
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from wyoming_stt.errors import SettingsError

__all__ = ["DegradeLadder", "DegradeOptions", "Level", "Load"]

_LEAST_AUDIO_S: Final = 1.0
"""Less says nothing about a real-time factor: the end of an utterance costs and brings no audio."""
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
    """Real-time factors (decoding by audio time) that lead to the four levels above normal."""
    queue_wait_s: tuple[float, float, float, float] = (0.3, 0.8, 2.0, 4.0)
    """Mean waits for a free decoder, in seconds, that do the same; one of the two is enough."""
    short_window_s: float = 10.0
    """What is looked at to climb: a few utterances."""
    long_window_s: float = 60.0
    """What the last level asks for, too: a model is not exchanged for one busy moment."""
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
    queue_wait_s: float = 0.0
    """Mean wait of its calls."""


@dataclass(frozen=True, slots=True)
class _Call:
    at_s: float
    audio_s: float
    decode_s: float
    queue_s: float


class _Window:
    """Calls of the last seconds, and their sums."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._calls: deque[_Call] = deque()

    def add(self, call: _Call) -> None:
        self._calls.append(call)

    def load(self, now_s: float) -> Load:
        while self._calls and self._calls[0].at_s <= now_s - self._seconds:
            self._calls.popleft()
        if not self._calls:
            return Load()
        audio = sum(call.audio_s for call in self._calls)
        decode = sum(call.decode_s for call in self._calls)
        wait = sum(call.queue_s for call in self._calls) / len(self._calls)
        return Load(decode / audio if audio >= _LEAST_AUDIO_S else 0.0, wait)


class DegradeLadder:
    """Climbs one level at a time while there is trouble, and steps back one at a time in calm."""

    def __init__(self, options: DegradeOptions) -> None:
        self.level = Level.NORMAL
        self._options = options
        self._short = _Window(options.short_window_s)
        self._long = _Window(options.long_window_s)
        self._since_s = float("-inf")
        self._trouble_s = float("-inf")
        self._stepped_back_s = float("-inf")
        self._patience = 1

    def record(self, now_s: float, audio_s: float, decode_s: float, queue_s: float) -> None:
        """Note a call into the model; all in seconds, `now_s` of any clock that never goes back."""
        call = _Call(now_s, audio_s, decode_s, queue_s)
        self._short.add(call)
        self._long.add(call)

    def load(self, now_s: float) -> tuple[Load, Load]:
        """Return the load of the short window and of the long one."""
        return self._short.load(now_s), self._long.load(now_s)

    def update(self, now_s: float) -> Level:
        """Move by one level at most, and return where that leads."""
        if not self._options.enabled:
            return self.level
        short, long = self.load(now_s)
        wanted = self._wanted(short)
        if wanted is Level.FAILOVER and self._wanted(long) is not Level.FAILOVER:
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
        return Level(sum(load.rtf >= rtf or load.queue_wait_s >= wait for rtf, wait in limits))

    def _is_calm(self, now_s: float) -> bool:
        calm_s = self._options.calm_s * self._patience
        return now_s - max(self._since_s, self._trouble_s) >= calm_s

    def _climb(self, now_s: float) -> None:
        since_step_s = now_s - self._stepped_back_s
        if self.level >= Level.EMERGENCY and since_step_s < self._options.long_window_s:
            # The fallback model kept up, the chosen one again did not.
            self._patience = min(2 * self._patience, _MAX_PATIENCE)
        self.level = Level(self.level + 1)
        self._since_s = now_s

    def _step_back(self, now_s: float) -> None:
        self.level = Level(self.level - 1)
        self._since_s = self._stepped_back_s = now_s
        if self.level is Level.NORMAL:
            self._patience = 1
