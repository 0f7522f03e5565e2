"""How patient to be with a model: what the settings say of its life."""

from dataclasses import dataclass

from wyoming_stt.errors import SettingsError

__all__ = ["LifecycleOptions"]


@dataclass(frozen=True, slots=True)
class LifecycleOptions:
    """How patient to be with a model; durations in seconds."""

    load_timeout_s: float = 120.0
    """Longest load, and longest warm-up: large models on a Pi's card take over a minute."""
    unload_after_s: float = 0.0
    """Free the model's memory when nobody spoke for so long; 0: keep it. The next utterance waits
    for it to load."""
    retry_s: float = 5.0
    """First pause before a model that failed is tried again; it doubles with each failure."""
    retry_max_s: float = 300.0
    """Longest of these pauses."""
    max_failures: int = 3
    """Utterances in a row that fail inside the model before the fallback takes its place."""

    def __post_init__(self) -> None:
        for name in ("load_timeout_s", "retry_s", "retry_max_s", "max_failures"):
            if not getattr(self, name) > 0:
                raise SettingsError(f"lifecycle.{name} must be above 0")
        if self.unload_after_s < 0:
            raise SettingsError("lifecycle.unload_after_s cannot be below 0")
