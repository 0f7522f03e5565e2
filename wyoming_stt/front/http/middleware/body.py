"""How much a request may bring, and how slowly."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wyoming_stt.front.http.errors import ErrorCode, HttpError
from wyoming_stt.front.http.options import HttpOptions

__all__ = ["BodyLimit", "BodyLimits"]


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """The largest body of a route."""

    num_bytes: int
    setting: str


class BodyLimits:
    """Ends a request whose body is too large or comes too slowly, while it is being read."""

    def __init__(
        self, app: ASGIApp, options: HttpOptions, larger: Mapping[str, BodyLimit] | None = None
    ) -> None:
        self._app = app
        self._options = options
        self._larger = larger or {}
        self._usual = BodyLimit(options.max_body_bytes, "http.max_body_bytes")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            announced = Headers(scope=scope).get("content-length", "")
            limit = self._larger.get(scope["path"], self._usual)
            body = _Body(receive, self._options, limit)
            body.expect(int(announced) if announced.isdecimal() else 0)
            receive = body.receive
        await self._app(scope, receive, send)


class _Body:
    """One body on its way in. The time that its client takes counts, not that of the reader."""

    def __init__(self, receive: Receive, options: HttpOptions, limit: BodyLimit) -> None:
        self._receive = receive
        self._limit = limit
        self._options = options
        self._size = 0
        self._waited_s = 0.0
        self._is_complete = False

    def expect(self, size: int) -> None:
        """Refuse a size that is too large."""
        most, setting = self._limit.num_bytes, self._limit.setting
        if size > most:
            raise HttpError(
                ErrorCode.PAYLOAD_TOO_LARGE,
                f"the body is too large: the limit is {most} bytes (setting {setting})",
            )

    async def receive(self) -> Message:
        """Take the next piece."""
        if self._is_complete:
            return await self._receive()  # which waits for the client to leave
        started = time.perf_counter()
        patience_s = self._options.body_timeout_s + self._size / self._options.min_body_rate
        try:
            async with asyncio.timeout(patience_s - self._waited_s):
                message = await self._receive()
        except TimeoutError:
            raise HttpError(
                ErrorCode.REQUEST_TIMEOUT,
                f"the body came too slowly: {self._size} bytes in {patience_s:.0f} s "
                "(settings http.body_timeout_s, http.min_body_rate)",
            ) from None
        self._waited_s += time.perf_counter() - started
        self._size += len(message.get("body", b""))
        self._is_complete = not message.get("more_body", False)
        self.expect(self._size)
        return message
