"""What /openapi.json says of errors: each with its status, code and an example."""

from typing import Any, Final

from wyoming_stt.front.http.errors import ErrorCode, HttpError, problem_of
from wyoming_stt.front.http.schemas import ErrorBody

__all__ = ["ALWAYS", "documented"]

ALWAYS: Final = (
    ErrorCode.UNAUTHORIZED,
    ErrorCode.ORIGIN_DENIED,
    ErrorCode.RATE_LIMITED,
    ErrorCode.INTERNAL,
    ErrorCode.SHUTTING_DOWN,
)
"""What any route may answer, since the middleware may."""


def documented(*codes: ErrorCode) -> dict[int | str, dict[str, Any]]:
    """Describe the errors of a route, as in `@router.post(..., responses=documented(...))`."""
    responses: dict[int | str, dict[str, Any]] = {}
    for status in sorted({code.status for code in codes}):
        here = [code for code in codes if code.status == status]
        examples = {str(code): {"value": problem_of(HttpError(code)).body} for code in here}
        responses[status] = {
            "model": ErrorBody,
            "description": " or ".join(f"`{code}`" for code in here),
            "content": {"application/json": {"examples": examples}},
        }
    return responses
