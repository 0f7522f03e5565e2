"""`POST /v1/transcribe`: a file in, its transcript out; and the same as a stream of events."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from sse_starlette import EventSourceResponse

from wyoming_stt.errors import UnknownModelError
from wyoming_stt.events import FinalTranscript, PartialTranscript
from wyoming_stt.front.http.answers import TEXT_TYPES, as_text, heard_words, seconds, transcription
from wyoming_stt.front.http.body import Body
from wyoming_stt.front.http.errors import Problem
from wyoming_stt.front.http.event_stream import EventStream
from wyoming_stt.front.http.hearing import Hearing, hearing
from wyoming_stt.front.http.schemas import StreamEvent, Transcription
from wyoming_stt.front.http.state import Door
from wyoming_stt.front.http.uploads import UPLOAD_BODY, UPLOAD_ERRORS, events, recording_in
from wyoming_stt.front.http.wishes import MAX_NAME_CHARS, Wishes

__all__ = ["router", "stream", "transcribe"]

router: Final = APIRouter(tags=["Transcription"])

_TEXT: Final = {kind: {"schema": {"type": "string"}} for kind in TEXT_TYPES.values()}
_EXAMPLES: Final = (
    '{"type": "partial", "text": "turn on", "timestamp": 1.3, "words": []}',
    '{"type": "final", "text": "turn on", "timestamp": 1.9, "words": [{"word": "turn", ...}, ...]}',
)


def _wishes(
    door: Door,
    model: Annotated[
        str, Query(max_length=MAX_NAME_CHARS, description="The active one of `/v1/models`.")
    ] = "",
    language: Annotated[
        str, Query(max_length=MAX_NAME_CHARS, description="A code of the model's: `en`.")
    ] = "",
    hotwords: Annotated[
        str, Query(description="Phrases to favour, separated by commas: `Jarvis,living room`.")
    ] = "",
    hotwords_score: Annotated[
        float | None, Query(ge=0, le=100, description="Boost of each token of a hotword.")
    ] = None,
) -> Wishes:
    if model not in {"", door.served.name}:
        raise UnknownModelError(model, (door.served.name,))
    return Wishes.of_phrases(hotwords, language, door.served, door.options, score=hotwords_score)


def _upload(name: str) -> Callable[..., AsyncIterator[Hearing]]:
    async def uploaded(
        request: Request, door: Door, wishes: Annotated[Wishes, Depends(_wishes)]
    ) -> AsyncIterator[Hearing]:
        async with (
            Body(request) as body,
            hearing(door, body, await recording_in(body), wishes, name) as heard,
        ):
            yield heard

    return uploaded


_TRANSCRIBE: Final[dict[str, Any]] = {
    "response_model": Transcription,
    "response_model_exclude_none": True,
    "responses": {200: {"description": "The transcript.", "content": _TEXT}, **UPLOAD_ERRORS},
    "openapi_extra": UPLOAD_BODY,
}


@router.post("/transcribe", deprecated=True, **_TRANSCRIBE)
@router.post("/v1/transcribe", **_TRANSCRIBE)
async def transcribe(
    heard: Annotated[Hearing, Depends(_upload("http"))],
    diarization: Annotated[
        bool, Query(description="Name the speakers. No model here can; the answer says so.")
    ] = False,
    format: Annotated[  # noqa: A002 - the contract's name
        Literal["json", "text", "srt", "vtt"],
        Query(description="`text` is the words alone, `srt` and `vtt` are captions."),
    ] = "json",
) -> Transcription | Response:
    """Transcribe a recording, while it arrives."""
    transcript = await heard.to_the_end()
    if format in TEXT_TYPES:
        return as_text(transcript, format)
    return transcription(transcript, heard.rtf, wants_speakers=diarization)


@router.post(
    "/v1/transcribe/stream",
    response_class=EventSourceResponse,
    responses={200: events(*_EXAMPLES), **UPLOAD_ERRORS},
    openapi_extra=UPLOAD_BODY,
)
async def stream(door: Door, heard: Annotated[Hearing, Depends(_upload("sse"))]) -> EventStream:
    """Transcribe a recording; words come while the recording still arrives."""
    return EventStream(door, heard.body, _messages(heard), _failed)


async def _messages(heard: Hearing) -> AsyncIterator[str]:
    async for event in heard.events:
        if isinstance(event, PartialTranscript | FinalTranscript):
            yield _message(event).model_dump_json()


def _message(event: PartialTranscript | FinalTranscript) -> StreamEvent:
    timestamp = seconds(event.position)
    if isinstance(event, PartialTranscript):
        return StreamEvent(type="partial", text=event.text, timestamp=timestamp, words=[])
    words = heard_words(event.words)
    return StreamEvent(type="final", text=event.text, timestamp=timestamp, words=words)


def _failed(problem: Problem) -> dict[str, Any]:
    return {"type": "error", **problem.body}
