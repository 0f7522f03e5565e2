"""What a client of the HTTP door is told when something fails: one table for every transport.

Routes raise `HttpError`, or let an `SttError` pass. REST answers it as JSON with a status, an event
stream and a WebSocket as an `error` message; all take it from `problem_of`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Self

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from wyoming_stt import errors

__all__ = ["EXPECTED", "ErrorCode", "HttpError", "Problem", "code_of", "problem_of"]


class ErrorCode(StrEnum):
    """What a program may branch on, with its status and what it may read like."""

    status: int
    example: str

    def __new__(cls, code: str, status: int, example: str) -> Self:
        """Make a member that is equal to its code."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.status, member.example = status, example
        return member

    EMPTY_BODY = "empty_body", 400, "the body is empty: send the audio file"
    INVALID_REQUEST = "invalid_request", 400, "language: expected a code such as en"
    UNAUTHORIZED = "unauthorized", 401, "the token is missing or wrong"
    ORIGIN_DENIED = "origin_denied", 403, "pages of https://evil.example may not use this server"
    ADMIN_ONLY = "admin_only", 403, "only the owner of this server may do that"
    NOT_FOUND = "not_found", 404, "there is nothing here; /docs lists the routes"
    MODEL_NOT_FOUND = "model_not_found", 404, "no model 'large' here; known: home-en"
    JOB_NOT_FOUND = "job_not_found", 404, "no job 7f1c here; jobs that have ended are kept a while"
    JOBS_DISABLED = "jobs_disabled", 404, "there are no jobs here: the setting jobs.backend is off"
    METRICS_DISABLED = "metrics_disabled", 404, "metrics are off: start the server with --metrics"
    METHOD_NOT_ALLOWED = "method_not_allowed", 405, "this route answers GET only"
    REQUEST_TIMEOUT = "request_timeout", 408, "the body came too slowly"
    JOB_NOT_CANCELLABLE = "job_not_cancellable", 409, "the job is completed: nothing to cancel"
    JOB_NOT_COMPLETED = "job_not_completed", 409, "the job is queued: it has no words yet"
    PAYLOAD_TOO_LARGE = (
        "payload_too_large",
        413,
        "the body is too large: the limit is 52428800 bytes",
    )
    AUDIO_TOO_LONG = "audio_too_long", 413, "the utterance is too long: the limit is 300 s"
    UNSUPPORTED_LANGUAGE = "unsupported_language", 415, "language 'tlh' is not spoken here"
    INVALID_AUDIO = "invalid_audio", 422, "the body is no audio that can be read"
    QUEUE_FULL = "queue_full", 429, "1000 jobs are waiting; try again later"
    RATE_LIMITED = "rate_limited", 429, "more than 60 requests a minute"
    INTERNAL = "internal", 500, "the server failed; its log tells why"
    INFERENCE_ERROR = "inference_error", 500, "the model failed on this audio"
    SATURATED = "saturated", 503, "no place became free in time; try again later"
    SHUTTING_DOWN = "shutting_down", 503, "the server is shutting down"
    MODEL_LOADING = "model_loading", 503, "the model is still loading; try again later"
    MODEL_ERROR = "model_error", 503, "the model cannot be used"
    JOBS_UNAVAILABLE = "jobs_unavailable", 503, "the queue of jobs cannot be reached now"
    INFERENCE_TIMEOUT = "inference_timeout", 504, "no answer from the model within 10 s"


RETRY_AFTER_MS: Final[dict[ErrorCode, int]] = {
    # An utterance at home lasts some seconds, and so does the loading of a model.
    ErrorCode.SATURATED: 2_000,
    ErrorCode.MODEL_LOADING: 3_000,
    ErrorCode.JOBS_UNAVAILABLE: 5_000,
    # A queue moves by a recording, which may take minutes.
    ErrorCode.QUEUE_FULL: 60_000,
}
_OF_STT_ERROR: Final[tuple[tuple[type[errors.SttError], ErrorCode], ...]] = (
    # The first that fits counts, so a class stands before the one it is derived from.
    (errors.AudioFormatError, ErrorCode.INVALID_AUDIO),
    (errors.LimitError, ErrorCode.AUDIO_TOO_LONG),
    (errors.UnknownModelError, ErrorCode.MODEL_NOT_FOUND),
    (errors.UnsupportedLanguageError, ErrorCode.UNSUPPORTED_LANGUAGE),
    (errors.JobNotFoundError, ErrorCode.JOB_NOT_FOUND),
    (errors.JobFinishedError, ErrorCode.JOB_NOT_CANCELLABLE),
    (errors.JobUnfinishedError, ErrorCode.JOB_NOT_COMPLETED),
    (errors.BadRequestError, ErrorCode.INVALID_REQUEST),
    (errors.QueueFullError, ErrorCode.QUEUE_FULL),
    (errors.JobsUnavailableError, ErrorCode.JOBS_UNAVAILABLE),
    (errors.OverloadedError, ErrorCode.SATURATED),
    (errors.ModelNotReadyError, ErrorCode.MODEL_LOADING),
    (errors.ModelError, ErrorCode.MODEL_ERROR),
    (errors.InferenceTimeoutError, ErrorCode.INFERENCE_TIMEOUT),
    (errors.InferenceError, ErrorCode.INFERENCE_ERROR),
    (errors.ShuttingDownError, ErrorCode.SHUTTING_DOWN),
)
_OF_STATUS: Final = {404: ErrorCode.NOT_FOUND, 405: ErrorCode.METHOD_NOT_ALLOWED}


class HttpError(HTTPException):
    """Something this door refuses. The message is for people: what, why, and what to do."""

    def __init__(
        self,
        code: ErrorCode,
        message: str | None = None,
        *,
        status: int | None = None,
        retry_after_ms: int | None = None,
    ) -> None:
        super().__init__(status or code.status, message or code.example)
        self.code = code
        self.retry_after_ms = retry_after_ms or RETRY_AFTER_MS.get(code)


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as it goes to the client."""

    status: int
    code: ErrorCode
    message: str
    retry_after_ms: int | None = None
    extra_headers: Mapping[str, str] = field(default_factory=dict)
    """Such as `Allow`, where a route does not answer a method."""

    @property
    def is_ours(self) -> bool:
        """Whether the server has to answer for it, rather than the client."""
        return self.status >= 500  # noqa: PLR2004 - as HTTP has it

    @property
    def body(self) -> dict[str, Any]:
        """The JSON of a REST answer (`schemas.ErrorBody`)."""
        hint = {} if self.retry_after_ms is None else {"retry_after_ms": self.retry_after_ms}
        return {"error": self.message, "code": self.code, **hint}

    @property
    def headers(self) -> dict[str, str]:
        """What goes with the status; `Retry-After` in whole seconds, never sooner than meant."""
        headers = dict(self.extra_headers)
        if self.code is ErrorCode.UNAUTHORIZED:
            headers["WWW-Authenticate"] = "Bearer"
        if self.retry_after_ms is not None:
            headers["Retry-After"] = str(-(-self.retry_after_ms // 1000))
        return headers


EXPECTED: Final = (HTTPException, RequestValidationError, errors.SttError)
"""What a request may end in: told to its client, whether as an answer or at the end of a stream."""


def problem_of(error: Exception) -> Problem:
    """Tell how to answer an error; one that nobody expected says nothing about its insides."""
    match error:
        case HttpError():
            return Problem(error.status_code, error.code, error.detail, error.retry_after_ms)
        case RequestValidationError():
            return Problem(422, ErrorCode.INVALID_REQUEST, _explain(error))
        case HTTPException():
            code = _OF_STATUS.get(error.status_code, ErrorCode.INVALID_REQUEST)
            headers, message = error.headers or {}, error.detail
            if code is ErrorCode.NOT_FOUND:
                message = code.example
            elif code is ErrorCode.METHOD_NOT_ALLOWED and "Allow" in headers:
                message = f"this route answers {headers['Allow']} only"
            return Problem(error.status_code, code, message, extra_headers=headers)
        case errors.SttError():
            for kind, code in _OF_STT_ERROR:
                if isinstance(error, kind):
                    return Problem(code.status, code, str(error), RETRY_AFTER_MS.get(code))
    return Problem(500, ErrorCode.INTERNAL, ErrorCode.INTERNAL.example)


def code_of(stt_code: str) -> ErrorCode:
    """Return how this door calls what an `SttError` calls so."""
    return next(
        (code for kind, code in _OF_STT_ERROR if kind.code == stt_code), ErrorCode.INFERENCE_ERROR
    )


def _explain(error: RequestValidationError) -> str:
    """Say which parameters are wrong; never what they were, which may be anything."""
    return "; ".join(
        f"{'.'.join(str(part) for part in details['loc'])}: {details['msg']}"
        for details in error.errors()
    )
