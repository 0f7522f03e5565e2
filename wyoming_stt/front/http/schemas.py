"""The JSON of the HTTP door's answers; /openapi.json is made of these."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from wyoming_stt.front.http.errors import ErrorCode

__all__ = [
    "Answer",
    "ErrorBody",
    "HeardSegment",
    "HeardWord",
    "ModelEntry",
    "ModelList",
    "NoDiarization",
    "Ready",
    "StreamEvent",
    "Transcription",
    "Unready",
]


class Answer(BaseModel):
    """Fields are named as on the wire, also where Pydantic would keep `model_` for itself."""

    model_config = ConfigDict(protected_namespaces=())


class ErrorBody(Answer):
    """What went wrong."""

    error: str = Field(description="A sentence for a person.")
    code: ErrorCode = Field(description="For a program to branch on; codes never change.")
    retry_after_ms: int | None = Field(
        default=None, description="When to try again; absent where that would not help."
    )


class Ready(Answer):
    """An utterance would be decoded now."""

    status: Literal["ready"] = "ready"
    pool_available: int
    pool_size: int


class Unready(ErrorBody):
    """No utterance would be decoded now."""

    reason: Literal["loading", "saturated", "shutting_down", "model_error"]


class ModelEntry(Answer):
    """A model, with OpenAI's fields first. What only its files tell is null until it is loaded."""

    id: str
    object: Literal["model"] = "model"
    created: int = Field(default=0, description="OpenAI's clients expect one; always 0.")
    owned_by: str
    family: str | None
    languages: list[str]
    version: str | None
    sha256: str | None
    precision: str | None
    vocab_size: int | None
    sample_rate: Literal[16000] = 16000
    streaming: bool | None
    installed: bool
    active: bool
    supported_formats: list[str]
    supported_rates: list[int]
    pool_size: int
    pool_available: int
    diarization: bool


class ModelList(Answer):
    """All models that may be asked for."""

    object: Literal["list"] = "list"
    data: list[ModelEntry]


class HeardWord(Answer):
    """A word; times in seconds since the beginning of the recording."""

    word: str
    start: float
    end: float
    confidence: float = Field(ge=0, le=1)


class HeardSegment(Answer):
    """Words between two pauses."""

    start: float
    end: float
    text: str
    words: list[HeardWord]
    confidence: float = Field(ge=0, le=1)


class NoDiarization(Answer):
    """Why no speakers are named."""

    available: Literal[False] = False
    reason: Literal["no_speaker_model"] = "no_speaker_model"


class Transcription(Answer):
    """A whole recording."""

    text: str
    words: list[HeardWord]
    segments: list[HeardSegment]
    duration: float = Field(description="Seconds.")
    language: str
    model: str
    rtf: float = Field(description="Processing time by audio time.")
    confidence: float = Field(ge=0, le=1)
    diarization: NoDiarization | None = Field(
        default=None, description="Absent, unless speakers were asked for."
    )


class StreamEvent(Answer):
    """One event of a stream. A recording with long pauses has several finals, one after another."""

    type: Literal["partial", "final"]
    text: str = Field(description="Since the final before; a partial may still change.")
    timestamp: float = Field(description="Seconds of audio heard so far.")
    words: list[HeardWord]
