import inspect

import pytest
from starlette.exceptions import HTTPException

from wyoming_stt import errors
from wyoming_stt.front.http.errors import ErrorCode, HttpError, problem_of

CONTRACT = {
    "empty_body": 400,
    "unauthorized": 401,
    "origin_denied": 403,
    "not_found": 404,
    "model_not_found": 404,
    "metrics_disabled": 404,
    "payload_too_large": 413,
    "audio_too_long": 413,
    "unsupported_language": 415,
    "invalid_audio": 422,
    "rate_limited": 429,
    "internal": 500,
    "saturated": 503,
    "shutting_down": 503,
    "model_loading": 503,
    "inference_timeout": 504,
}
ENDS_THE_START = (errors.SettingsError, errors.UnfitMachineError)
"""No client ever meets these."""


@pytest.mark.parametrize(("code", "status"), CONTRACT.items())
def test_codes_have_the_status_that_clients_know(code: str, status: int) -> None:
    assert ErrorCode(code).status == status


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.AudioFormatError("x"), "invalid_audio"),
        (errors.LimitError("x", "1 s", "y"), "audio_too_long"),
        (errors.UnknownModelError("x", ()), "model_not_found"),
        (errors.UnsupportedLanguageError("x", ()), "unsupported_language"),
        (errors.BadRequestError("x"), "invalid_request"),
        (errors.OverloadedError("x"), "saturated"),
        (errors.ModelNotReadyError("x"), "model_loading"),
        (errors.UnknownFamilyError("x"), "model_error"),
        (errors.InferenceTimeoutError("x"), "inference_timeout"),
        (errors.InferenceError("x"), "inference_error"),
        (errors.ShuttingDownError("x"), "shutting_down"),
        (HTTPException(404), "not_found"),
        (HTTPException(405, "Method Not Allowed"), "method_not_allowed"),
        (HTTPException(400, "bad"), "invalid_request"),
    ],
)
def test_errors_have_codes(error: Exception, code: str) -> None:
    problem = problem_of(error)
    assert problem.code == code
    assert problem.body["error"]


def test_no_error_of_the_package_is_left_out() -> None:
    kinds = [getattr(errors, name) for name in errors.__all__]
    for kind in kinds:
        if kind is errors.SttError or issubclass(kind, ENDS_THE_START):
            continue
        error = kind.__new__(kind)
        Exception.__init__(error, "what happened")
        assert problem_of(error).code is not ErrorCode.INTERNAL, inspect.getdoc(kind)


def test_what_nobody_expected_tells_nothing_about_itself() -> None:
    problem = problem_of(RuntimeError("secret"))
    assert (problem.status, problem.code, problem.is_ours) == (500, "internal", True)
    assert "secret" not in str(problem.body)


def test_a_retry_is_never_asked_for_too_early() -> None:
    problem = problem_of(HttpError(ErrorCode.RATE_LIMITED, retry_after_ms=1_001))
    assert problem.body["retry_after_ms"] == 1_001
    assert problem.headers == {"Retry-After": "2"}


def test_no_retry_where_it_would_not_help() -> None:
    problem = problem_of(errors.ShuttingDownError("the server is shutting down"))
    assert problem.headers == {}
    assert set(problem.body) == {"error", "code"}


def test_whoever_has_no_token_is_told_of_which_kind_it_is() -> None:
    assert problem_of(HttpError(ErrorCode.UNAUTHORIZED)).headers == {"WWW-Authenticate": "Bearer"}
