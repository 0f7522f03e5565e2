"""How the server is, in the numbers that every place which tells of it has."""

from datetime import datetime
from typing import Any, Final, Literal

from pydantic import Field

from wyoming_stt.engine import ModelState
from wyoming_stt.front.http.schemas import Answer
from wyoming_stt.front.http.state import DoorState
from wyoming_stt.memory import resident_bytes
from wyoming_stt.observability.tally import MAX_LAST_ERRORS

__all__ = ["LastError", "Rtf", "Vitals", "iso", "vitals_of"]

MODEL: Final = "model"
"""The door of errors that happened where no client was waiting: in loading, or in a swap."""


class LastError(Answer):
    """An error that the server had to answer for; its log says more."""

    at: str = Field(description="Time in UTC, ISO 8601.")
    door: str = Field(description="Where it was told, or `model`.")
    code: str
    message: str | None = Field(default=None, description="Of a model's failure: what it was.")


class Rtf(Answer):
    """Decoding time by audio time, of the last thousand utterances."""

    average: float
    p50: float
    p95: float
    p99: float


class Vitals(Answer):
    """The numbers."""

    model: str
    model_state: ModelState
    model_version: str | None
    on_fallback: bool = Field(description="Whether another model stands in for the chosen one.")
    reason: str | None = Field(description="Why the chosen model does not serve, if it does not.")
    load_time_ms: int | None = Field(description="None until the model is loaded.")
    warmup_time_ms: int | None
    memory_mb: float = Field(description="Resident memory of the process, in 10^6 bytes.")
    model_memory_mb: float | None = Field(description="What the process grew by when it loaded.")
    degrade_level: Literal["normal", "warning", "degrade", "emergency", "failover"]
    rtf: Rtf | None = Field(description="None before the first utterance.")
    vad_speech_ratio: float | None = Field(
        description="Share of recent audio in which somebody spoke; None where it is not known."
    )
    active_streams: int
    queue_depth: int = Field(description="Utterances that wait for a place, or for a decoder.")
    dropped: Literal[0] = Field(
        default=0, description="Audio is never dropped: who cannot be served is told so."
    )
    consecutive_errors: int = Field(description="Utterances in a row that the server failed.")
    last_errors: list[LastError] = Field(description="The last ten, newest first.")


def vitals_of(door: DoorState) -> dict[str, Any]:
    """Measure; the keys are the fields of `Vitals`."""
    engine, tally, lifecycle = door.engine, door.metrics.tally, door.engine.lifecycle
    model, times = lifecycle.active, engine.load_times
    return {
        "model": door.served.name,
        "model_state": engine.state,
        "model_version": engine.info.version if engine.info else None,
        "on_fallback": lifecycle.on_fallback,
        "reason": lifecycle.reason,
        "load_time_ms": None if times is None else round(times.load_s * 1000),
        "warmup_time_ms": None if times is None else round(times.warm_up_s * 1000),
        "memory_mb": round(resident_bytes() / 1e6, 1),
        "model_memory_mb": None if model is None else round(model.memory_bytes / 1e6, 1),
        "degrade_level": engine.relief.level.name.lower(),
        "rtf": tally.rtf and {name: round(v, 4) for name, v in tally.rtf._asdict().items()},
        "vad_speech_ratio": tally.speech_ratio and round(tally.speech_ratio, 3),
        "active_streams": tally.active,
        "queue_depth": engine.queue_depth,
        "consecutive_errors": tally.consecutive_errors,
        "last_errors": _last_errors(door),
    }


def iso(at: datetime) -> str:
    """Spell a time."""
    return at.isoformat(timespec="seconds")


def _last_errors(door: DoorState) -> list[LastError]:
    failures = door.engine.lifecycle.record.failures
    told = [(e.at, e.door, e.code, None) for e in door.metrics.last_errors]
    failed = [(f.at, MODEL, f.code, f"{f.model}: {f.message}") for f in failures]
    newest = sorted([*told, *failed], key=lambda error: error[0], reverse=True)
    return [
        LastError(at=iso(at), door=name, code=code, message=message)
        for at, name, code, message in newest[:MAX_LAST_ERRORS]
    ]
