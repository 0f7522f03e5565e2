"""`/health` and `/ready` for whoever restarts or balances servers, `/metrics` for Prometheus."""

from typing import Any, Final, Literal

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from wyoming_stt import __version__
from wyoming_stt.degrade import Level
from wyoming_stt.engine import Engine, ModelState
from wyoming_stt.front.http.errors import ErrorCode, HttpError, problem_of
from wyoming_stt.front.http.openapi import documented
from wyoming_stt.front.http.schemas import Ready, Unready
from wyoming_stt.front.http.state import Door, DoorState
from wyoming_stt.front.http.vitals import Vitals, vitals_of

__all__ = ["Health", "health", "metrics", "ready", "router"]

router: Final = APIRouter(tags=["Operation"])

_STATUS: Final = {
    ModelState.UNINITIALIZED: "loading",
    ModelState.LOADING: "loading",
    ModelState.WARMING_UP: "loading",
    ModelState.READY: "ok",
    ModelState.SWAPPING: "ok",
    ModelState.UNLOADED: "ok",
    ModelState.ERROR: "error",
    ModelState.CLOSED: "error",
}
_REASON: Final = {
    ErrorCode.SHUTTING_DOWN: "shutting_down",
    ErrorCode.MODEL_LOADING: "loading",
    ErrorCode.MODEL_ERROR: "model_error",
    ErrorCode.SATURATED: "saturated",
}


class Health(Vitals):
    """How the process is."""

    status: Literal["ok", "degraded", "loading", "error"]
    version: str = Field(description="Of this program.")


def _unready(code: ErrorCode) -> dict[str, Any]:
    return problem_of(HttpError(code)).body | {"reason": _REASON[code]}


_UNREADY: Final = {
    "model": Unready,
    "description": "Not now; `reason` says why.",
    "content": {
        "application/json": {"examples": {code: {"value": _unready(code)} for code in _REASON}}
    },
}


@router.get("/health")
async def health(door: Door) -> Health:
    """Tell how the process is; 200 as long as it answers at all."""
    facts = {"status": _status(door.engine), "version": __version__, **vitals_of(door)}
    return Health.model_validate(facts)


@router.get("/ready", response_model=Ready, responses={503: _UNREADY})
async def ready(door: Door) -> Ready | Response:
    """Tell whether an utterance would be decoded now."""
    if code := _hindrance(door):
        problem = problem_of(HttpError(code))
        return JSONResponse(_unready(code), problem.status, problem.headers)
    return Ready(
        pool_available=door.engine.free_places, pool_size=door.engine.options.max_utterances
    )


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}, **documented(ErrorCode.METRICS_DISABLED)},
)
async def metrics(door: Door) -> Response:
    """Count what happened at all doors, in the text format of Prometheus."""
    if not door.options.metrics:
        raise HttpError(ErrorCode.METRICS_DISABLED)
    return Response(door.metrics.render(), headers={"Content-Type": door.metrics.content_type})


def _status(engine: Engine) -> str:
    # A reason without a fallback: the model fails, and there is no other.
    makes_do = engine.lifecycle.reason is not None or engine.relief.level > Level.NORMAL
    return "degraded" if makes_do and engine.state.is_serving else _STATUS[engine.state]


def _hindrance(door: DoorState) -> ErrorCode | None:
    if door.draining.is_set():
        return ErrorCode.SHUTTING_DOWN
    match door.engine.state:
        case ModelState.UNINITIALIZED | ModelState.LOADING | ModelState.WARMING_UP:
            return ErrorCode.MODEL_LOADING
        case ModelState.ERROR:
            return ErrorCode.MODEL_ERROR
        case ModelState.CLOSED:
            return ErrorCode.SHUTTING_DOWN
    return None if door.engine.free_places else ErrorCode.SATURATED
