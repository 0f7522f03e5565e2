"""Where a recording comes in: in the body itself, or in a form; and how that is documented."""

from collections.abc import AsyncIterator
from typing import Any, Final

from wyoming_stt.front.http.body import Body
from wyoming_stt.front.http.errors import ErrorCode
from wyoming_stt.front.http.multipart import FILE, Form, is_form
from wyoming_stt.front.http.openapi import documented

__all__ = ["UPLOAD_BODY", "UPLOAD_ERRORS", "events", "form_body", "recording_in"]

_FILE: Final = {"type": "string", "format": "binary"}
UPLOAD_ERRORS: Final = documented(
    ErrorCode.EMPTY_BODY,
    ErrorCode.INVALID_REQUEST,
    ErrorCode.MODEL_NOT_FOUND,
    ErrorCode.REQUEST_TIMEOUT,
    ErrorCode.PAYLOAD_TOO_LARGE,
    ErrorCode.AUDIO_TOO_LONG,
    ErrorCode.UNSUPPORTED_LANGUAGE,
    ErrorCode.INVALID_AUDIO,
    ErrorCode.INFERENCE_ERROR,
    ErrorCode.SATURATED,
    ErrorCode.MODEL_LOADING,
    ErrorCode.MODEL_ERROR,
    ErrorCode.INFERENCE_TIMEOUT,
)
"""What may become of a recording on any route."""


async def recording_in(body: Body) -> AsyncIterator[bytes]:
    """Return the bytes of the file, as they arrive.

    Raises:
        HttpError: it is a form without a file; or, while iterating, one that is not well-formed.
    """
    if is_form(body.content_type):
        return await Form(body.content_type, aiter(body)).file()
    return aiter(body)


def form_body(fields: dict[str, Any] | None = None) -> dict[str, Any]:
    """Describe a form with a file, and with these properties beside it."""
    schema = {"type": "object", "properties": {FILE: _FILE, **(fields or {})}, "required": [FILE]}
    return {"multipart/form-data": {"schema": schema}}


def events(*examples: str) -> dict[str, Any]:
    """Describe an answer in events, with what their `data` may be."""
    example = "".join(f"data: {data}\n\n" for data in examples)
    data = {"type": "string", "contentMediaType": "application/json"}
    schema = {"type": "object", "properties": {"data": data}, "required": ["data"]}
    content = {"text/event-stream": {"schema": schema, "example": example}}
    return {"description": "Events, as they happen.", "content": content}


UPLOAD_BODY: Final = {
    "requestBody": {
        "required": True,
        "description": "A recording: WAV, MP3, M4A/AAC, OGG Vorbis or Opus, FLAC, WebM, ...; any "
        "rate, up to 8 channels. Its bytes tell what it is.",
        "content": {"application/octet-stream": {"schema": _FILE}, **form_body()},
    }
}
"""For `openapi_extra`."""
