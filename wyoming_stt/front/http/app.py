"""The application: routes in FastAPI, and around them the middleware, outermost first."""

from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp

from wyoming_stt import __version__
from wyoming_stt.front.http.errors import EXPECTED, ErrorCode, HttpError
from wyoming_stt.front.http.job_orders import SUBMISSIONS
from wyoming_stt.front.http.middleware.access import CLIENT_CLOSED, Access
from wyoming_stt.front.http.middleware.answer import AnswerErrors, ErrorAnswers
from wyoming_stt.front.http.middleware.body import BodyLimit, BodyLimits
from wyoming_stt.front.http.middleware.drain import Drain, Traffic
from wyoming_stt.front.http.middleware.origin import OriginPolicy, OriginRules
from wyoming_stt.front.http.middleware.rate import RateLimit, RateLimiter
from wyoming_stt.front.http.middleware.request_id import RequestId
from wyoming_stt.front.http.middleware.token import BearerToken
from wyoming_stt.front.http.openapi import describe
from wyoming_stt.front.http.routes import ROUTERS
from wyoming_stt.front.http.state import DoorState

__all__ = ["DoorApp", "build_app"]

SUMMARY: Final = "Local speech-to-text: REST, event streams, WebSocket and the OpenAI API."


@dataclass(frozen=True, slots=True)
class DoorApp:
    """What uvicorn serves, and the count of what is open in it."""

    serve: ASGIApp
    traffic: Traffic


def build_app(state: DoorState, token: str | None) -> DoorApp:
    """Put the door together.

    Args:
        state: what its routes share.
        token: that clients must have; None: none.
    """
    options, metrics = state.options, state.metrics
    answers, traffic = ErrorAnswers(metrics), Traffic(state.draining)
    app: ASGIApp = _routes(state, answers, needs_token=token is not None)
    app = BodyLimits(app, options, _larger_bodies(state))
    app = Drain(app, traffic)
    if token is not None:
        app = BearerToken(app, token, state.admin_token)
    if options.requests_per_minute:
        limiter = RateLimiter(options.requests_per_minute, options.request_burst)
        app = RateLimit(app, limiter, metrics, options.requests_per_minute)
    app = AnswerErrors(app, answers)
    # Outside of what refuses: a page may read only answers that name its origin.
    app = OriginPolicy(app, OriginRules(options), answers)
    app = Access(app, metrics, [route for router in ROUTERS for route in router.routes])
    return DoorApp(RequestId(app), traffic)


def _routes(state: DoorState, answers: ErrorAnswers, *, needs_token: bool) -> FastAPI:
    handlers: dict[int | type[Exception], Any] = dict.fromkeys(EXPECTED, answers.handle)
    handlers[Exception] = answers.fail
    handlers[ClientDisconnect] = _nobody
    app = FastAPI(
        title="wyoming-stt",
        summary=SUMMARY,
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=handlers,
    )
    app.state.door = state
    for router in ROUTERS:
        app.include_router(router)
    app.router.default = _not_found
    describe(app, needs_token=needs_token)
    return app


def _larger_bodies(state: DoorState) -> dict[str, BodyLimit]:
    """Recordings that nobody waits for may be longer."""
    if state.jobs is None:
        return {}
    limit = BodyLimit(state.jobs.max_upload_bytes, "jobs.max_upload_bytes")
    return dict.fromkeys(SUBMISSIONS, limit)


async def _nobody(*_: object) -> Response:
    """Answer into the void; only the log and the metrics see it."""
    return Response(status_code=CLIENT_CLOSED)


async def _not_found(*_: object) -> None:
    raise HttpError(ErrorCode.NOT_FOUND)
