"""Who has the token may come in."""

import secrets
from typing import Final

from starlette.datastructures import Headers, QueryParams
from starlette.types import ASGIApp, Receive, Scope, Send

from wyoming_stt.front.http.errors import ErrorCode, HttpError

__all__ = ["BearerToken"]

EXEMPT: Final = ("/health", "/ready")
_SCHEME: Final = "bearer "


class BearerToken:
    """Refuses every request without the token, but those of health checks."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["path"] not in EXEMPT and not self._is_known(_shown(scope)):
            raise HttpError(
                ErrorCode.UNAUTHORIZED,
                "the token is missing or wrong: send the header Authorization: Bearer TOKEN",
            )
        await self._app(scope, receive, send)

    def _is_known(self, token: str) -> bool:
        # How long this takes must not tell how much of a guess was right.
        return secrets.compare_digest(token.encode("utf-8", "replace"), self._token)


def _shown(scope: Scope) -> str:
    """Return the token, or nothing; a page cannot send headers with a WebSocket."""
    authorization = Headers(scope=scope).get("authorization", "")
    if authorization[: len(_SCHEME)].lower() == _SCHEME:
        return authorization[len(_SCHEME) :].strip()
    if scope["type"] == "websocket":
        return QueryParams(scope["query_string"]).get("access_token", "")
    return ""
