"""Every error becomes an answer, a line in the log and a count: here and nowhere else."""

import logging

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from wyoming_stt.errors import SttError
from wyoming_stt.front.http.errors import ErrorCode, Problem, problem_of
from wyoming_stt.observability.metrics import Metrics

__all__ = ["AnswerErrors", "ErrorAnswers"]

logger = logging.getLogger(__name__)

GOING_AWAY = 1001
SERVER_ERROR = 1011


class ErrorAnswers:
    """Tells clients what went wrong, and remembers that it did."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def note(self, error: Exception) -> Problem:
        """Log and count an error; return what to tell of it."""
        wrapped = error.__cause__
        if isinstance(error, RuntimeError) and isinstance(wrapped, HTTPException | SttError):
            error = wrapped  # by Starlette, where an answer had begun
        problem = problem_of(error)
        if problem.code is ErrorCode.INTERNAL and not isinstance(error, SttError):
            logger.error("this is a fault of the server", exc_info=error)
        else:
            logger.warning("%s: %s", problem.code, problem.message)
        self._metrics.told("http", problem.code, is_ours=problem.is_ours)
        return problem

    def response(self, error: Exception) -> Response:
        """Note an error, and make the answer to a request that failed."""
        return _response(self.note(error))

    async def fail(self, _: Request, error: Exception) -> Response:
        """Answer what nobody expected; FastAPI passes the error on to where it is noted."""
        return _response(problem_of(error))

    async def handle(self, connection: Request | WebSocket, error: Exception) -> Response:
        """Answer what a route raised; for FastAPI's `exception_handlers`."""
        if isinstance(connection, WebSocket):
            raise error  # AnswerErrors knows whether the upgrade is still to be refused
        return self.response(error)


class AnswerErrors:
    """Answers what the middleware inside it raises; the outermost handler of this door."""

    def __init__(self, app: ASGIApp, answers: ErrorAnswers) -> None:
        self._app = app
        self._answers = answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        begun = False

        async def send_noticing(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_noticing)
        except Exception as error:  # noqa: BLE001 - nothing may reach the server below us
            if not begun:
                await self._answers.response(error)(scope, receive, send)
                return
            problem = self._answers.note(error)
            if scope["type"] == "websocket":
                code = GOING_AWAY if problem.code is ErrorCode.SHUTTING_DOWN else SERVER_ERROR
                await send({"type": "websocket.close", "code": code})


def _response(problem: Problem) -> Response:
    return JSONResponse(problem.body, problem.status, problem.headers)
