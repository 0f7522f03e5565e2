"""`POST /v1/audio/transcriptions`: the same as OpenAI's, so that its clients work here."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from wyoming_stt.front.http.answers import TEXT_TYPES, as_text
from wyoming_stt.front.http.body import Body
from wyoming_stt.front.http.errors import ErrorCode, HttpError
from wyoming_stt.front.http.event_stream import EventStream
from wyoming_stt.front.http.hearing import Hearing, hearing
from wyoming_stt.front.http.multipart import Form, is_form
from wyoming_stt.front.http.openai import (
    Deltas,
    ShortTranscription,
    TextDelta,
    TranscriptionForm,
    VerboseTranscription,
    done,
    failed,
    short,
    verbose,
)
from wyoming_stt.front.http.state import Door
from wyoming_stt.front.http.uploads import UPLOAD_ERRORS, events, form_body

__all__ = ["router", "transcriptions"]

router: Final = APIRouter(tags=["OpenAI"])

_ANSWER_ONLY: Final = {"response_format", "timestamp_granularities"}
"""Fields that only say how to answer; the others say how to listen, so they must come first."""
_EXAMPLES: Final = (
    '{"type": "transcript.text.delta", "delta": "turn on"}',
    '{"type": "transcript.text.done", "text": "turn on", "usage": {...}}',
    "[DONE]",
)
_FIELDS: Final = TranscriptionForm.model_json_schema(mode="serialization")["properties"]
_ANSWERS: Final[dict[str, Any]] = {
    "description": "In the format that was asked for.",
    "content": {
        **{kind: {"schema": {"type": "string"}} for kind in TEXT_TYPES.values()},
        **events(*_EXAMPLES)["content"],
    },
}


@dataclass(frozen=True, slots=True)
class _Upload:
    """A form of which the file is being listened to; its fields may change until the end."""

    heard: Hearing
    form: Form
    first: TranscriptionForm

    def complete(self) -> TranscriptionForm:
        """Return the fields, now that all have come.

        Raises:
            HttpError: one of them came too late.
        """
        last = _read(self.form)
        if last.model_dump(exclude=_ANSWER_ONLY) != self.first.model_dump(exclude=_ANSWER_ONLY):
            raise HttpError(
                ErrorCode.INVALID_REQUEST,
                "some fields came before the file and some after it: send the file as the last or "
                "as the first",
            )
        return last


async def _uploaded(request: Request, door: Door) -> AsyncIterator[_Upload]:
    async with Body(request) as body:
        if not is_form(body.content_type):
            raise HttpError(ErrorCode.INVALID_REQUEST, "expected multipart/form-data", status=422)
        form = Form(body.content_type, aiter(body))
        file = await form.file()
        # Clients that begin with the file, as OpenAI's examples do, say later what they wish.
        first = _read(form if form.fields else await _whole_form(body))
        wishes = first.wishes(door.served, door.options)
        async with hearing(door, body, file, wishes, "openai") as heard:
            yield _Upload(heard, form, first)


@router.post(
    "/v1/audio/transcriptions",
    response_model=VerboseTranscription | ShortTranscription,
    response_model_exclude_none=True,
    responses={200: _ANSWERS, **UPLOAD_ERRORS},
    openapi_extra={"requestBody": {"required": True, "content": form_body(_FIELDS)}},
)
async def transcriptions(
    door: Door, upload: Annotated[_Upload, Depends(_uploaded)]
) -> BaseModel | Response:
    """Transcribe a recording, as `client.audio.transcriptions.create` of the `openai` package."""
    if upload.first.stream:
        return EventStream(door, upload.heard.body, _messages(upload), failed)
    transcript = await upload.heard.to_the_end()
    form = upload.complete()
    if form.response_format in TEXT_TYPES:
        return as_text(transcript, form.response_format)
    if form.response_format == "verbose_json":
        return verbose(transcript, form.timestamp_granularities)
    return short(transcript)


async def _messages(upload: _Upload) -> AsyncIterator[str]:
    deltas = Deltas()
    async for event in upload.heard.events:
        if delta := deltas.of(event):
            yield TextDelta(delta=delta).model_dump_json()
    upload.complete()
    yield done(upload.heard.transcript).model_dump_json()
    yield "[DONE]"


async def _whole_form(body: Body) -> Form:
    form = Form(body.content_type, aiter(body))
    async for _ in await form.file():
        pass
    return form


def _read(form: Form) -> TranscriptionForm:
    fields = {name: values for name, values in form.fields.items() if values != [""]}
    lists = {name for name in fields if name.startswith("timestamp_granularities")}
    values = {name: value if name in lists else value[-1] for name, value in fields.items()}
    try:
        return TranscriptionForm.model_validate(values)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from None
