"""The states a served model goes through, and the record of how it got there."""

import logging
from collections import Counter, deque
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Final

__all__ = ["Failure", "ModelState", "StateRecord", "Transition"]

_LOGGER = logging.getLogger(__name__)

MAX_TRANSITIONS: Final = 100
MAX_FAILURES: Final = 10
"""How much of the past health reports show; a server runs for months."""


class ModelState(Enum):
    """Whether an utterance would be decoded now, and if not, why."""

    UNINITIALIZED = "uninitialized"
    LOADING = "loading"
    WARMING_UP = "warming_up"
    READY = "ready"
    SWAPPING = "swapping"
    """Another model is being loaded beside the one that serves."""
    UNLOADED = "unloaded"
    """Idle for long; the next utterance loads it again."""
    ERROR = "error"
    CLOSED = "closed"

    @property
    def is_serving(self) -> bool:
        """Whether there is a model that decodes."""
        return self in {ModelState.READY, ModelState.SWAPPING}


_S = ModelState
_NEXT: Final = {
    _S.UNINITIALIZED: {_S.LOADING},
    _S.LOADING: {_S.WARMING_UP, _S.ERROR},
    _S.WARMING_UP: {_S.READY, _S.ERROR},
    _S.READY: {_S.SWAPPING, _S.UNLOADED, _S.ERROR},
    _S.SWAPPING: {_S.READY, _S.ERROR},
    _S.UNLOADED: {_S.LOADING},
    _S.ERROR: {_S.LOADING},
}
"""The legal transitions; CLOSED is reached from everywhere and never left."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One step, and why it was made."""

    at: datetime
    before: ModelState
    after: ModelState
    model: str
    reason: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that went wrong with a model."""

    at: datetime
    model: str
    code: str
    message: str


class StateRecord:
    """The state, and its history. Not thread-safe: the event loop's alone."""

    def __init__(self) -> None:
        self.state = ModelState.UNINITIALIZED
        self.transitions: deque[Transition] = deque(maxlen=MAX_TRANSITIONS)
        self.failures: deque[Failure] = deque(maxlen=MAX_FAILURES)
        self.counts: Counter[ModelState] = Counter()
        """How often each state was entered."""

    def move(self, after: ModelState, model: str, reason: str = "") -> None:
        """Enter a state; it is our bug where that is not legal."""
        before = self.state
        if after is not ModelState.CLOSED and after not in _NEXT.get(before, set()):
            raise RuntimeError(f"no way from {before.name} to {after.name}")
        self.state = after
        self.counts[after] += 1
        self.transitions.append(Transition(datetime.now(UTC), before, after, model, reason))
        because = f": {reason}" if reason else ""
        _LOGGER.info("Model %s: %s after %s%s", model, after.value, before.value, because)

    def fail(self, model: str, code: str, message: str) -> None:
        """Remember a failure."""
        self.failures.append(Failure(datetime.now(UTC), model, code, message))
