"""How much the engine takes on, and how long it waits."""

from dataclasses import dataclass
from typing import Final

from wyoming_stt.errors import SettingsError

__all__ = ["EngineOptions"]

_MIN_SLICE_S: Final = 0.02
"""Below this a turn is all hand-over and no decoding."""


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Bounds of the engine; durations in seconds."""

    workers: int = 0
    """Threads that decode; 0: one a core."""
    max_utterances: int = 32
    """Utterances decoded at the same time; each holds the model's caches, 1 to 4 MB."""
    max_waiting: int = 32
    """Utterances that may wait for a place; one more is refused at once."""
    admission_timeout_s: float = 10.0
    """Longest wait for a place. A household gives up on a voice command sooner."""
    inference_timeout_s: float = 10.0
    """Longest single call into the model, which normally takes milliseconds."""
    max_utterance_s: float = 300.0
    """Longest utterance. Home Assistant ends one after 15 s, its pipeline after 300 s."""
    gather_s: float = 0.16
    """Audio collected before a thread is woken for it, which costs as much as decoding 5 to 10 ms.
    Home Assistant sends 10 ms at a time, models take 320 ms. Words before the end, and an
    endpoint, may come this much later; the transcript after `finish` does not."""
    slice_s: float = 1.0
    """Audio handed over faster than it was spoken is decoded in turns of this length."""
    max_kept_bytes: int = 16_000_000
    """Audio of one utterance that is kept while the model loads: 8 minutes of what Home Assistant
    sends, 10 s of the richest format that is read."""

    def __post_init__(self) -> None:
        for name in ("workers", "max_waiting", "gather_s", "max_kept_bytes"):
            if getattr(self, name) < 0:
                raise SettingsError(f"engine.{name} cannot be below 0")
        for name in (
            "max_utterances",
            "admission_timeout_s",
            "inference_timeout_s",
            "max_utterance_s",
        ):
            if not getattr(self, name) > 0:
                raise SettingsError(f"engine.{name} must be above 0")
        if not self.slice_s >= _MIN_SLICE_S:
            raise SettingsError(f"engine.slice_s must be {_MIN_SLICE_S} or more")
