"""The JSON of a WebSocket, in both directions; field by field, since clients send anything."""

from collections.abc import Iterable
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError

from wyoming_stt.audio.endpoint import SENSITIVITY_SILENCE_S
from wyoming_stt.errors import BadRequestError
from wyoming_stt.events import Endpoint, Event, FinalTranscript, PartialTranscript
from wyoming_stt.front.http.answers import heard_words, seconds
from wyoming_stt.front.http.schemas import HeardWord
from wyoming_stt.front.http.wishes import MAX_NAME_CHARS

__all__ = [
    "DEFAULT_RATE",
    "Configure",
    "ErrorMessage",
    "Heard",
    "Ready",
    "ServerMessage",
    "Stop",
    "heard",
    "parse",
    "text_of",
]

DEFAULT_RATE: Final = 48_000
"""Hz, of clients that configure nothing: what browsers and most sound cards record at."""
PROTOCOL_VERSION: Final = "1.0"
_SENSITIVITIES: Final = ", ".join(SENSITIVITY_SILENCE_S)


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Configure(_Message):
    """Wishes for the audio to come. Fields that are not known here are ignored."""

    type: Literal["configure"]
    sample_rate: JsonValue = DEFAULT_RATE
    """Whatever it is, the answer to a wrong one names the right ones."""
    language: str | None = Field(None, max_length=MAX_NAME_CHARS)
    hotwords: list[str] = []
    diarization: bool = False
    """No model here can; `ready` says so."""
    vad_sensitivity: str | None = Field(None, pattern=rf"^({'|'.join(SENSITIVITY_SILENCE_S)})$")
    """How soon silence ends an utterance; Wyoming's words."""


class Stop(_Message):
    """No more audio comes."""

    type: Literal["stop"]


class Ready(_Message):
    """The first message: what may be sent."""

    type: Literal["ready"] = "ready"
    model: str
    sample_rate: int = DEFAULT_RATE
    version: str = PROTOCOL_VERSION
    supported_rates: tuple[int, ...]
    diarization: bool = False
    max_session_secs: float
    idle_timeout_secs: float


class Heard(_Message):
    """Words; of an utterance that goes on, or all of one that has ended."""

    type: Literal["partial", "final"]
    text: str
    is_final: bool
    timestamp: float
    """Seconds of audio since the first sample."""
    words: list[HeardWord]
    committed: str | None = None
    """What of a partial text will not change."""
    confidence: float | None = None
    speech_final: bool | None = None
    """Whether the speaker has finished, rather than gone on for too long."""
    endpoint_reason: Literal["vad", "length", "stop"] | None = None


class ErrorMessage(_Message):
    """Something went wrong; the connection goes on unless a close follows."""

    type: Literal["error"] = "error"
    message: str
    code: str
    retry_after_ms: int | None = None


ServerMessage = Ready | Heard | ErrorMessage

_CLIENT_MESSAGE: Final[TypeAdapter[Configure | Stop]] = TypeAdapter(
    Annotated[Configure | Stop, Field(discriminator="type")]
)


def parse(text: str) -> Configure | Stop:
    """Read what a client sent as text.

    Raises:
        BadRequestError: naming the first field that is wrong, not what it held.
    """
    try:
        return _CLIENT_MESSAGE.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        raise BadRequestError(_complaint(first["type"], first["loc"], first["msg"])) from None


def heard(events: Iterable[Event], *, is_end: bool) -> list[Heard]:
    """Tell what was heard; at the end the last transcript is the one that `stop` asked for."""
    messages: list[Heard] = []
    endpoint = False
    for event in events:
        match event:
            case Endpoint():
                endpoint = True
            case PartialTranscript():
                messages.append(_partial(event))
            case FinalTranscript():
                messages.append(_final(event, "vad" if endpoint else "length"))
                endpoint = False
    if is_end and messages:
        update = {"speech_final": True, "endpoint_reason": "stop"}
        messages[-1] = messages[-1].model_copy(update=update)
    return messages


def text_of(events: Iterable[Event]) -> str:
    """Return the words of the utterances that have ended."""
    return " ".join(e.text for e in events if isinstance(e, FinalTranscript) and e.text)


def _partial(event: PartialTranscript) -> Heard:
    return Heard(
        type="partial",
        text=event.text,
        is_final=False,
        timestamp=seconds(event.position),
        words=[],
        committed=event.committed,
    )


def _final(event: FinalTranscript, reason: Literal["vad", "length"]) -> Heard:
    return Heard(
        type="final",
        text=event.text,
        is_final=True,
        timestamp=seconds(event.position),
        words=heard_words(event.words),
        confidence=round(event.confidence, 4),
        speech_final=reason == "vad",
        endpoint_reason=reason,
    )


def _complaint(kind: str, location: tuple[str | int, ...], message: str) -> str:
    match kind:
        case "json_invalid":
            return f"this is not JSON: {message.removeprefix('Invalid JSON: ')}"
        case "union_tag_invalid" | "union_tag_not_found":
            return "type: expected configure or stop"
        case "string_pattern_mismatch":
            return f"configure: vad_sensitivity: expected one of {_SENSITIVITIES}"
    return f"{': '.join(map(str, location)) or 'message'}: {message}"
