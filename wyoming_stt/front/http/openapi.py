"""What /openapi.json says beside the routes: all errors with their codes, and examples."""

from collections.abc import Iterable
from typing import Any, Final

from fastapi import FastAPI

from wyoming_stt.front.http import examples
from wyoming_stt.front.http.errors import ErrorCode, HttpError, problem_of
from wyoming_stt.front.http.schemas import ErrorBody

__all__ = ["describe", "documented"]

ANYWHERE: Final = (
    ErrorCode.ORIGIN_DENIED,
    ErrorCode.RATE_LIMITED,
    ErrorCode.INTERNAL,
    ErrorCode.SHUTTING_DOWN,
)
"""What any route may answer, since the middleware may."""
SPARED: Final[dict[str, tuple[ErrorCode, ...]]] = {
    "/health": (ErrorCode.ORIGIN_DENIED, ErrorCode.RATE_LIMITED, ErrorCode.SHUTTING_DOWN),
    "/ready": (ErrorCode.SHUTTING_DOWN,),
    "/metrics": (ErrorCode.SHUTTING_DOWN,),
}
"""Routes that some of the middleware lets pass."""
WITHOUT_TOKEN: Final = ("/health", "/ready")
_INVALID: Final = "422"
_ERRORS_FROM: Final = 400
_BEARER: Final = "bearer"


def documented(*codes: ErrorCode) -> dict[int | str, dict[str, Any]]:
    """Describe the errors of a route, as in `@router.post(..., responses=documented(...))`."""
    responses: dict[int | str, dict[str, Any]] = {}
    for code in codes:
        _add(responses, code.status, code)
    for response in responses.values():
        response["model"] = ErrorBody
    return responses


def describe(app: FastAPI, *, needs_token: bool) -> None:
    """Have the application's description tell what its middleware does, too."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _complete(generate(), needs_token=needs_token)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # the way that FastAPI offers


def _complete(schema: dict[str, Any], *, needs_token: bool) -> dict[str, Any]:
    components = schema.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for replaced in ("HTTPValidationError", "ValidationError"):
        schemas.pop(replaced, None)
    for path, operation in _operations(schema):
        responses = operation["responses"]
        _show(path, operation)
        if "HTTPValidationError" in str(responses.get(_INVALID)):
            del responses[_INVALID]
            _add(responses, _INVALID, ErrorCode.INVALID_REQUEST)
        for code in ANYWHERE:
            if code not in SPARED.get(path, ()):
                _add(responses, str(code.status), code)
        if needs_token and path not in WITHOUT_TOKEN:
            _add(responses, str(ErrorCode.UNAUTHORIZED.status), ErrorCode.UNAUTHORIZED)
            operation["security"] = [{_BEARER: []}]
    if needs_token:
        components["securitySchemes"] = {_BEARER: {"type": "http", "scheme": "bearer"}}
    return schema


def _show(path: str, operation: dict[str, Any]) -> None:
    """Add examples of what a route takes, and of what it answers when all is well."""
    forms = operation.get("requestBody", {}).get("content", {})
    for content in forms.values():
        fields = content["schema"].get("properties", {})
        shown = {name: value for name, value in examples.FORMS.items() if name in fields}
        content["example"] = shown or examples.FORMS["file"]
    for status, response in operation["responses"].items():
        for media_type, content in response.get("content", {}).items():
            if int(status) < _ERRORS_FROM and not {"example", "examples"} & content.keys():
                content["examples"] = _examples(path, media_type, content.get("schema") or {})


def _examples(path: str, media_type: str, schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    if media_type in examples.TEXTS:
        text = examples.METRICS if path == "/metrics" else examples.TEXTS[media_type]
        return {"text": {"value": text}}
    names = (one["$ref"].rpartition("/")[2] for one in schema.get("anyOf", [schema]))
    return {name: {"value": examples.ANSWERS[name]} for name in names}


def _operations(schema: dict[str, Any]) -> Iterable[tuple[str, dict[str, Any]]]:
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            yield path, operation


def _add(responses: dict[Any, dict[str, Any]], status: int | str, code: ErrorCode) -> None:
    """Add an error to those of the same status."""
    response = responses.setdefault(status, {"description": ""})
    separator = ", " if response["description"] else ""
    response["description"] += f"{separator}`{code}`"
    content = response.setdefault("content", {}).setdefault("application/json", {})
    content.setdefault("schema", {"$ref": "#/components/schemas/ErrorBody"})
    body = problem_of(HttpError(code)).body
    content.setdefault("examples", {})[str(code)] = {"value": body}
