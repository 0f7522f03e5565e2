"""What a client sends to have a job done: a recording, and how it is to be heard."""

from collections.abc import AsyncIterator, Callable
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request

from wyoming_stt.errors import UnknownModelError
from wyoming_stt.front.http.body import not_empty
from wyoming_stt.front.http.errors import ErrorCode, HttpError
from wyoming_stt.front.http.multipart import Form, is_form
from wyoming_stt.front.http.state import DoorState
from wyoming_stt.front.http.uploads import form_body
from wyoming_stt.front.http.wishes import MAX_NAME_CHARS, Wishes
from wyoming_stt.jobs.job import JobWishes
from wyoming_stt.jobs.store import Order

__all__ = ["JOB_BODY", "SUBMISSIONS", "JobQuery", "received"]

SUBMISSIONS: Final = ("/v1/jobs", "/transcribe/async")
"""Routes that take recordings, which may be larger here."""


class JobQuery(BaseModel):
    """Fields of the form, or parameters of the address; the form counts where both are there."""

    model_config = ConfigDict(protected_namespaces=())

    model: str = Field("", max_length=MAX_NAME_CHARS, description="One of `/v1/models`.")
    language: str = Field("", max_length=MAX_NAME_CHARS, description="A code of the model's: `en`.")
    hotwords: str = Field("", description="Phrases to favour, separated by commas.")
    hotwords_score: float | None = Field(
        None, ge=0, le=100, description="Boost of each token of a hotword."
    )
    enable_diarization: bool = Field(
        default=False, description="Name the speakers. No model here can; the answer says so."
    )
    callback_url: str | None = Field(
        None, description="Called when the job has ended, as Standard Webhooks has it."
    )


JOB_BODY: Final = {
    "requestBody": {
        "required": True,
        "description": "A recording, as for `/v1/transcribe`, but up to `jobs.max_upload_bytes`.",
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            **form_body(JobQuery.model_json_schema()["properties"]),
        },
    }
}
"""For `openapi_extra`."""


async def received(
    request: Request, door: DoorState, query: JobQuery, key: str | None
) -> tuple[AsyncIterator[bytes], Callable[[], Order]]:
    """Return the recording as it arrives, and what will be known of it when it is there.

    Raises:
        HttpError: it is a form without a file.
    """
    content_type = request.headers.get("content-type", "")
    if not is_form(content_type):
        _order(door, query, key)  # what is wrong is said before the recording is sent
        return not_empty(_pieces(request)), lambda: _order(door, query, key)
    form = Form(content_type, _pieces(request))
    audio = not_empty(await form.file())
    _order(door, _merged(query, form), key)
    return audio, lambda: _order(door, _merged(query, form), key)


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    """Read the body as it comes; the spool is where it waits, not our memory."""
    async for piece in request.stream():
        if piece:
            yield piece


def _merged(query: JobQuery, form: Form) -> JobQuery:
    known = {name: values[-1] for name, values in form.fields.items()}
    try:
        return JobQuery.model_validate(query.model_dump() | known)
    except ValidationError as error:
        wrong = "; ".join(f"{details['loc'][0]}: {details['msg']}" for details in error.errors())
        raise HttpError(ErrorCode.INVALID_REQUEST, wrong, status=422) from None


def _order(door: DoorState, query: JobQuery, key: str | None) -> Order:
    if query.model not in {"", door.served.name}:
        raise UnknownModelError(query.model, (door.served.name,))
    wishes = Wishes.of_phrases(
        query.hotwords, query.language, door.served, door.options, score=query.hotwords_score
    )
    return Order(
        JobWishes(wishes.language, door.served.name, wishes.hotwords, query.enable_diarization),
        key,
        query.callback_url or None,
    )
