"""One line in the log and one count for every request, by the template of its route."""

import logging
import time
from collections.abc import Iterable
from typing import Any, Final

from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wyoming_stt.observability.metrics import Metrics

__all__ = ["CLIENT_CLOSED", "Access"]

logger = logging.getLogger(__name__)

UNMATCHED: Final = "unmatched"
"""The route of a path that is none: clients may invent as many of those as they like."""
ROUTINE: Final = ("/health", "/ready", "/metrics")
"""Asked for every few seconds by machines; logged at debug only."""
SWITCHING_PROTOCOLS: Final = 101
CLIENT_CLOSED: Final = 499
"""Gone before there was an answer; as nginx counts it."""


class Access:
    """Notes how requests ended. No query and no header is ever logged: tokens travel in both."""

    def __init__(self, app: ASGIApp, metrics: Metrics, routes: Iterable[BaseRoute]) -> None:
        self._app = app
        self._metrics = metrics
        self._routes = tuple(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        started = time.perf_counter()
        status = CLIENT_CLOSED

        async def send_noticing(message: Message) -> None:
            nonlocal status
            match message["type"]:
                case "http.response.start" | "websocket.http.response.start":
                    status = message["status"]
                case "websocket.accept":
                    status = SWITCHING_PROTOCOLS
            await send(message)

        try:
            await self._app(scope, receive, send_noticing)
        finally:
            duration_s = time.perf_counter() - started
            method, route = _method(scope), self._route(scope)
            self._metrics.answered(method, route, status, duration_s)
            level = logging.DEBUG if route in ROUTINE else logging.INFO
            logger.log(level, "%s %s %d in %.0f ms", method, route, status, duration_s * 1000)

    def _route(self, scope: Scope) -> str:
        route: Any = scope.get("route")
        if route is None:  # refused on the way: nobody has looked for it yet
            matching = (r for r in self._routes if r.matches(scope)[0] is not Match.NONE)
            route = next(matching, None)
        return getattr(route, "path", UNMATCHED)


def _method(scope: Scope) -> str:
    return str(scope["method"]) if scope["type"] == "http" else "WEBSOCKET"
