"""`/v1/jobs`: a long recording in, and its words when one comes back for them."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from sse_starlette import EventSourceResponse

from wyoming_stt.front.http.answers import TEXT_TYPES, as_text
from wyoming_stt.front.http.body import Body, unless
from wyoming_stt.front.http.errors import ErrorCode, HttpError, Problem
from wyoming_stt.front.http.event_stream import EventStream
from wyoming_stt.front.http.job_answers import JobAnswer, JobList, JobNote, QueueAnswer, note
from wyoming_stt.front.http.job_orders import JOB_BODY, JobQuery, received
from wyoming_stt.front.http.openapi import documented
from wyoming_stt.front.http.state import Door, DoorState
from wyoming_stt.front.http.uploads import events
from wyoming_stt.jobs.job import JobState
from wyoming_stt.jobs.store import Jobs

__all__ = [
    "cancel",
    "discard",
    "list_jobs",
    "router",
    "show",
    "stats",
    "submit",
    "watch",
]

router: Final = APIRouter(tags=["Jobs"])

MAX_PAGE: Final = 200
MAX_CURSOR: Final = 2**53
"""Whole numbers up to here are the same in every language."""
_NONE: Final = (ErrorCode.JOBS_DISABLED, ErrorCode.JOBS_UNAVAILABLE)
_OF_QUEUE: Final = documented(*_NONE)
_OF_JOB: Final = documented(*_NONE, ErrorCode.JOB_NOT_FOUND)
_SUBMIT: Final = documented(
    *_NONE,
    ErrorCode.EMPTY_BODY,
    ErrorCode.INVALID_REQUEST,
    ErrorCode.MODEL_NOT_FOUND,
    ErrorCode.REQUEST_TIMEOUT,
    ErrorCode.PAYLOAD_TOO_LARGE,
    ErrorCode.AUDIO_TOO_LONG,
    ErrorCode.UNSUPPORTED_LANGUAGE,
    ErrorCode.INVALID_AUDIO,
    ErrorCode.QUEUE_FULL,
    ErrorCode.SATURATED,
)
_TEXT: Final = {kind: {"schema": {"type": "string"}} for kind in TEXT_TYPES.values()}
_EXAMPLES: Final = (
    '{"type": "progress", "job_id": "...", "status": "processing", "progress": 42.0, ...}',
    '{"type": "completed", "job_id": "...", "status": "completed", "progress": 100.0, ...}',
)


def _jobs(door: Door) -> Jobs:
    if door.jobs is None:
        raise HttpError(ErrorCode.JOBS_DISABLED)
    return door.jobs


async def _body(request: Request) -> AsyncIterator[Body]:
    """Read the request, so that its client is heard to leave."""
    async with Body(request) as body:
        yield body


Queue = Annotated[Jobs, Depends(_jobs)]
JobId = Annotated[str, Path(max_length=100)]


@router.post(
    "/transcribe/async", deprecated=True, status_code=202, responses=_SUBMIT, openapi_extra=JOB_BODY
)
@router.post("/v1/jobs", status_code=202, responses=_SUBMIT, openapi_extra=JOB_BODY)
async def submit(
    request: Request,
    response: Response,
    door: Door,
    jobs: Queue,
    *,
    query: Annotated[JobQuery, Query()],
    idempotency_key: Annotated[str | None, Header(max_length=255)] = None,
) -> JobNote:
    """Take a recording of any length, to be transcribed when there is time."""
    audio, order = await received(request, door, query, idempotency_key)
    job = await jobs.submit(audio, order)
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return note(job, f"GET /v1/jobs/{job.id} tells how it is, and in the end the words")


@router.get("/jobs", deprecated=True, responses=_OF_QUEUE)
@router.get("/v1/jobs", responses=_OF_QUEUE)
async def list_jobs(
    jobs: Queue,
    status: Annotated[JobState | None, Query(description="Only these.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    cursor: Annotated[
        int | None, Query(ge=0, le=MAX_CURSOR, description="`next_cursor` of the page before.")
    ] = None,
) -> JobList:
    """List jobs, the newest first."""
    page = await jobs.page(status, limit, cursor)
    return JobList(jobs=[JobAnswer.of(job) for job in page.jobs], next_cursor=page.cursor)


_JOB: Final[dict[str, Any]] = {
    "response_model": JobAnswer,
    "responses": {
        200: {"description": "How it is.", "content": _TEXT},
        **documented(*_NONE, ErrorCode.JOB_NOT_FOUND, ErrorCode.JOB_NOT_COMPLETED),
    },
}


@router.get("/jobs/{job_id}", deprecated=True, **_JOB)
@router.get("/v1/jobs/{job_id}", **_JOB)
async def show(
    jobs: Queue,
    job_id: JobId,
    format: Annotated[  # noqa: A002 - the contract's name
        Literal["json", "text", "srt", "vtt"],
        Query(description="`text` is the words alone, `srt` and `vtt` are captions."),
    ] = "json",
) -> JobAnswer | Response:
    """Tell how a job is; of a completed one, the words."""
    job = await jobs.get(job_id)
    if format in TEXT_TYPES:
        return as_text(await jobs.result(job), format)
    is_completed = job.state is JobState.COMPLETED
    return JobAnswer.of(job, await jobs.result(job) if is_completed else None)


@router.get(
    "/v1/jobs/{job_id}/events",
    response_class=EventSourceResponse,
    responses={200: events(*_EXAMPLES), **_OF_JOB},
)
async def watch(
    door: Door, jobs: Queue, job_id: JobId, body: Annotated[Body, Depends(_body)]
) -> EventStream:
    """Tell how a job goes on, up to its end."""
    await jobs.get(job_id)  # whoever asks for one that is not there gets a real status
    return EventStream(door, body, _messages(door, jobs, job_id), _failed)


@router.delete("/jobs/{job_id}", deprecated=True, responses=_OF_JOB)
@router.delete("/v1/jobs/{job_id}", responses=_OF_JOB)
async def discard(jobs: Queue, job_id: JobId) -> JobNote:
    """Cancel a job that is queued or processing; remove one that has ended, with its files."""
    job, is_removed = await jobs.discard(job_id)
    return note(job, "removed, with its files" if is_removed else "cancelled")


@router.post(
    "/v1/jobs/{job_id}/cancel",
    responses=documented(*_NONE, ErrorCode.JOB_NOT_FOUND, ErrorCode.JOB_NOT_CANCELLABLE),
)
async def cancel(jobs: Queue, job_id: JobId) -> JobNote:
    """Cancel a job; one that has ended is left as it is."""
    return note(await jobs.cancel(job_id), "cancelled")


@router.get("/queue/stats", deprecated=True, response_model_exclude_none=True, responses=_OF_QUEUE)
@router.get("/v1/queue/stats", response_model_exclude_none=True, responses=_OF_QUEUE)
async def stats(jobs: Queue) -> QueueAnswer:
    """Tell how the queue is."""
    return QueueAnswer.of(await jobs.stats())


async def _messages(door: DoorState, jobs: Jobs, job_id: str) -> AsyncIterator[str]:
    """Yield what a watcher sees; a server that stops lets go of it."""
    draining = asyncio.ensure_future(door.draining.wait())
    watched = aiter(jobs.watch(job_id))
    try:
        while (job := await unless(draining, anext(watched, None))) is not None:
            kind = job.state.value if job.state.is_final else "progress"
            answer = JobAnswer.of(job).model_dump(mode="json", exclude={"result"})
            yield json.dumps({"type": kind, **answer})
    finally:
        draining.cancel()


def _failed(problem: Problem) -> dict[str, Any]:
    return {"type": "error", **problem.body}
