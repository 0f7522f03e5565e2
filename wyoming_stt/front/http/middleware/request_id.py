"""A name for each request: the client's own or a new one, in its answer and in the log."""

import uuid
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wyoming_stt.observability.request_id import REQUEST_ID

__all__ = ["HEADER", "RequestId", "choose_request_id"]

HEADER: Final = "X-Request-Id"
MAX_CHARS: Final = 128
_STARTS: Final = ("http.response.start", "websocket.accept", "websocket.http.response.start")


class RequestId:
    """Outermost of all, so that no answer and no line of the log goes without."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        name = choose_request_id(Headers(scope=scope).get(HEADER))

        async def send_named(message: Message) -> None:
            if message["type"] in _STARTS:
                message.setdefault("headers", [])
                MutableHeaders(scope=message)[HEADER] = name
            await send(message)

        token = REQUEST_ID.set(name)
        try:
            await self._app(scope, receive, send_named)
        finally:
            REQUEST_ID.reset(token)


def choose_request_id(wanted: str | None) -> str:
    """Return the client's choice where it may stand in a header and a log, else a new UUID."""
    if wanted and len(wanted) <= MAX_CHARS and wanted.isascii() and wanted.isprintable():
        return wanted
    return str(uuid.uuid4())
