"""What the engine does without at each level of the degrade ladder."""

import asyncio
import logging
from collections import Counter
from dataclasses import replace
from typing import Final

from wyoming_stt.degrade import DegradeLadder, DegradeOptions, Level, Load
from wyoming_stt.lifecycle import Lifecycle
from wyoming_stt.session import UtteranceOptions

__all__ = ["Relief"]

_LOGGER = logging.getLogger(__name__)

_LOOKS: Final = 10
"""At the ladder in a short window, while there is trouble: calm must be noticed, too."""
_GATHERED_S: Final = 0.64
"""Audio in one piece under load: two encoder chunks of most models, four times the usual."""


class Relief:
    """Measures what the engine is asked for, and applies the ladder to what begins from now on."""

    def __init__(
        self, options: DegradeOptions, lifecycle: Lifecycle, num_decoders: int = 1
    ) -> None:
        self.level = Level.NORMAL
        self.counts: Counter[Level] = Counter()
        """How often each level was entered."""
        self._ladder = DegradeLadder(options, num_decoders)
        self._look_s = options.short_window_s / _LOOKS
        self._lifecycle = lifecycle
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False

    @property
    def refuses_background(self) -> bool:
        """Whether work that nobody waits for has to pause."""
        return self.level >= Level.EMERGENCY

    def load(self) -> tuple[Load, Load]:
        """Return what the short window and the long one hold."""
        return self._ladder.load(asyncio.get_running_loop().time())

    def record(self, audio_s: float, decode_s: float, queue_s: float) -> None:
        """Note a call into the model, in seconds."""
        self._ladder.record(asyncio.get_running_loop().time(), audio_s, decode_s, queue_s)
        self._look_soon()

    def record_admission(self, queue_s: float) -> None:
        """Note how long an utterance waited for a place, whether or not it got one."""
        self._ladder.record_admission(asyncio.get_running_loop().time(), queue_s)
        self._look_soon()

    def applied(self, options: UtteranceOptions) -> UtteranceOptions:
        """Return how to listen to an utterance that begins now."""
        if self.level < Level.DEGRADE:
            return options
        return replace(options, search=replace(options.search, method="greedy"), partials=False)

    def gathered_s(self, usual_s: float) -> float:
        """Return how much audio to gather before a thread is woken."""
        return usual_s if self.level < Level.WARNING else max(usual_s, _GATHERED_S)

    def close(self) -> None:
        """Look no more, also when those who still wait are sent away."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look_soon(self) -> None:
        if self._timer is None and not self._is_closed:
            self._look()

    def _look(self) -> None:
        """Follow the ladder, and look again while there is anything to see."""
        loop = asyncio.get_running_loop()
        before, self.level = self.level, self._ladder.update(loop.time())
        if self.level is not before:
            self.counts[self.level] += 1
            short, _ = self.load()
            _LOGGER.log(
                logging.WARNING if self.level > before else logging.INFO,
                "Load: %s after %s (lately: real-time factor %.2f, %.2f with waits of %.2f s, "
                "decoders %.0f %% busy)",
                self.level.name,
                before.name,
                short.rtf,
                short.turnaround,
                short.queue_wait_s,
                100 * short.busy,
            )
            self._lifecycle.set_overloaded(overloaded=self.level is Level.FAILOVER)
        idle = self.level is Level.NORMAL and self.load()[0] == Load()
        self._timer = None if idle else loop.call_later(self._look_s, self._look)
