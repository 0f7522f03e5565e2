"""What a client may say, field by field; the package's own types take any JSON for any field."""

import json
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, JsonValue, ValidationError
from wyoming.event import Event

from wyoming_stt.errors import BadRequestError

__all__ = ["ChunkFormat", "PingData", "SelectProgramData", "TranscribeData", "check"]

Checked = TypeVar("Checked", bound=BaseModel)


def check(kind: type[Checked], event: Event) -> Checked:
    """Return the data of `event` as `kind`.

    Raises:
        BadRequestError: naming the event and the first field that is wrong, not what it held.
    """
    try:
        return kind.model_validate(event.data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        raise BadRequestError(f"{event.type}: {_place(first['loc'])}: {first['msg']}") from None


def _encodable(value: Any) -> Any:
    # JSON can spell half of a surrogate pair, which no UTF-8 answer can carry back.
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("not valid Unicode") from None
    return value


def _place(location: tuple[str | int, ...]) -> str:
    # Deeper parts of a location are the client's own keys: no text of ours.
    return ".".join(str(part) for part in location if part == location[0] or isinstance(part, int))


Text = Annotated[str, AfterValidator(_encodable)]


class _Data(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class PingData(_Data):
    """`ping`: text to copy into the `pong`."""

    text: Text | None = None


class SelectProgramData(_Data):
    """`select-program`: which of the advertised programs shall answer."""

    name: Text


class ChunkFormat(_Data):
    """`audio-start` and `audio-chunk`: the layout of the PCM."""

    rate: int
    width: int
    channels: int


class TranscribeData(_Data):
    """`transcribe`: wishes for the utterance that follows."""

    name: Text | None = None
    language: Text | None = None
    context: Annotated[dict[str, JsonValue], AfterValidator(_encodable)] | None = None
    vad_sensitivity: Text | None = None
    transcript_names: list[Text] | None = None
    transcript_terms: list[Text] | None = None
