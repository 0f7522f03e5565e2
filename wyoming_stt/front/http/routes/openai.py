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
from wyoming_stt.front.http.wishes import Wishes
from wyoming_stt.transcript import Transcript

__all__ = ["router", "transcriptions"]

router: Final = APIRouter(tags=["OpenAI"])

DOOR: Final = "openai"
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
    wishes: Wishes
    """What it is listened to with."""


async def _uploaded(request: Request, door: Door) -> AsyncIterator[_Upload]:
    async with Body(request) as body:
        if not is_form(body.content_type):
            raise HttpError(ErrorCode.INVALID_REQUEST, "expected multipart/form-data", status=422)
        form = Form(body.content_type, aiter(body))
        file = await form.file()
        # Clients that begin with the file, as OpenAI's examples do, say later what they wish.
        first = _read(form if form.fields else await _whole_form(body))
        wishes = first.wishes(door.served, door.options)
        async with hearing(door, body, file, wishes, DOOR) as heard:
            yield _Upload(heard, form, first, wishes)


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
        return EventStream(door, upload.heard.body, _messages(upload, door), failed)
    transcript = await upload.heard.to_the_end()
    form = _read(upload.form)
    if (wishes := form.wishes(door.served, door.options)) != upload.wishes:
        transcript = await _heard_anew(upload.heard.body, door, wishes)
    if form.stream:
        return EventStream(door, upload.heard.body, _all_at_once(transcript), failed)
    if form.response_format in TEXT_TYPES:
        return as_text(transcript, form.response_format)
    if form.response_format == "verbose_json":
        return verbose(transcript, form.timestamp_granularities)
    return short(transcript)


async def _messages(upload: _Upload, door: Door) -> AsyncIterator[str]:
    deltas = Deltas()
    async for event in upload.heard.events:
        if delta := deltas.of(event):
            yield TextDelta(delta=delta).model_dump_json()
    if _read(upload.form).wishes(door.served, door.options) != upload.wishes:
        raise HttpError(
            ErrorCode.INVALID_REQUEST,
            "some fields came after the file, when words had left already: send the file as the "
            "last or as the first",
        )
    yield done(upload.heard.transcript).model_dump_json()
    yield "[DONE]"


async def _all_at_once(transcript: Transcript) -> AsyncIterator[str]:
    if transcript.text:
        yield TextDelta(delta=transcript.text).model_dump_json()
    yield done(transcript).model_dump_json()
    yield "[DONE]"


async def _heard_anew(body: Body, door: Door, wishes: Wishes) -> Transcript:
    """Listen again, to a client some of whose wishes came before its file and some after it."""
    file = await Form(body.content_type, aiter(body)).file()
    async with hearing(door, body, file, wishes, DOOR) as heard:
        return await heard.to_the_end()


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
