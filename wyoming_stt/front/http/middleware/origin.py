"""Which pages may use the server from a browser."""

from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from wyoming_stt.front.http.errors import ErrorCode, HttpError
from wyoming_stt.front.http.middleware.answer import ErrorAnswers
from wyoming_stt.front.http.middleware.request_id import HEADER
from wyoming_stt.front.http.options import HttpOptions

__all__ = ["OriginPolicy", "OriginRules"]

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
EXEMPT: Final = "/health"


class OriginRules:
    """Tells allowed origins from others."""

    def __init__(self, options: HttpOptions) -> None:
        self._any = options.cors_allow_any
        self._listed = {origin.rstrip("/").lower() for origin in options.allow_origin}

    def allows(self, origin: str) -> bool:
        """Tell whether a page of that origin may use the server.

        A browser names the origin as `scheme://host[:port]`; whatever has more to it than that, or
        is no such thing (`null`), is allowed only if it was listed letter by letter.
        """
        return self._any or origin.lower() in self._listed or _is_loopback(origin)


class OriginPolicy(CORSMiddleware):
    """Refuses pages that are not allowed; Starlette's own class tells the others that they are.

    That class alone would answer a forbidden page and leave it to the browser to hide the answer,
    which protects nothing that a request changes or costs, and no WebSocket at all.
    """

    def __init__(self, app: ASGIApp, rules: OriginRules, answers: ErrorAnswers) -> None:
        super().__init__(
            app,
            allow_methods=("GET", "POST", "DELETE"),
            allow_headers=("*",),
            expose_headers=(HEADER, "Retry-After"),
        )
        self._rules = rules
        self._answers = answers

    def is_allowed_origin(self, origin: str) -> bool:
        """Take the place of Starlette's lists."""
        return self._rules.allows(origin)

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer what a browser asks first; a refusal is JSON, as all of ours are."""
        response = super().preflight_response(request_headers)
        if response.status_code == HTTPStatus.OK:
            return response
        message = f"{bytes(response.body).decode()}: see /openapi.json for what a route takes"
        refusal = self._answers.response(HttpError(ErrorCode.INVALID_REQUEST, message))
        for name in ("Access-Control-Allow-Origin", "Vary"):
            if name in response.headers:
                refusal.headers[name] = response.headers[name]
        return refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        denied = [o for o in Headers(scope=scope).getlist("origin") if not self._rules.allows(o)]
        if not denied or scope["path"] == EXEMPT:
            await super().__call__(scope, receive, send)
            return
        message = (
            f"pages of {denied[0][:100]!r} may not use this server; "
            "who runs it can let them: --allow-origin ORIGIN"
        )
        response = self._answers.response(HttpError(ErrorCode.ORIGIN_DENIED, message))
        await response(scope, receive, send)


def _is_loopback(origin: str) -> bool:
    try:
        url = urlsplit(origin)
        host, port = url.hostname or "", url.port
    except ValueError:
        return False
    written = f"[{host}]" if ":" in host else host
    exact = f"{url.scheme}://{written}" + ("" if port is None else f":{port}")
    return url.scheme in {"http", "https"} and host in LOOPBACK and exact == origin.lower()
