"""Who has the token may come in."""

import secrets
from typing import Final

from starlette.datastructures import Headers, QueryParams
from starlette.types import ASGIApp, Receive, Scope, Send

from wyoming_stt.front.http.errors import ErrorCode, HttpError

__all__ = ["BearerToken", "same_token", "shown_token"]

EXEMPT: Final = ("/health", "/ready")
_SCHEME: Final = "bearer "


class BearerToken:
    """Refuses every request without one of the tokens, but those of health checks."""

    def __init__(self, app: ASGIApp, *tokens: str | None) -> None:
        self._app = app
        self._tokens = [token for token in tokens if token is not None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["path"] not in EXEMPT and not self._is_known(shown_token(scope)):
            raise HttpError(
                ErrorCode.UNAUTHORIZED,
                "the token is missing or wrong: send the header Authorization: Bearer TOKEN",
            )
        await self._app(scope, receive, send)

    def _is_known(self, shown: str) -> bool:
        return any(same_token(shown, token) for token in self._tokens)


def same_token(shown: str, token: str) -> bool:
    """Compare; how long this takes does not tell how much of a guess was right."""
    return secrets.compare_digest(shown.encode("utf-8", "replace"), token.encode())


def shown_token(scope: Scope) -> str:
    """Return the token, or nothing; a page cannot send headers with a WebSocket."""
    authorization = Headers(scope=scope).get("authorization", "")
    if authorization[: len(_SCHEME)].lower() == _SCHEME:
        return authorization[len(_SCHEME) :].strip()
    if scope["type"] == "websocket":
        return QueryParams(scope["query_string"]).get("access_token", "")
    return ""
