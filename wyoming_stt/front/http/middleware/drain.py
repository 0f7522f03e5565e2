"""The end of the server: nothing new begins, what is open gets some time."""

import asyncio
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from wyoming_stt.front.http.errors import ErrorCode, HttpError

__all__ = ["Drain", "Traffic"]

ALWAYS: Final = ("/health", "/ready", "/metrics")
"""Answered to the last: they tell how the end goes."""


class Traffic:
    """The requests and streams that are open."""

    def __init__(self, draining: asyncio.Event) -> None:
        self.draining = draining
        self._open: set[asyncio.Timeout] = set()
        self._nothing_open = asyncio.Event()
        self._nothing_open.set()

    def enter(self, deadline: asyncio.Timeout) -> None:
        """Count one more, which ends at its deadline."""
        self._open.add(deadline)
        self._nothing_open.clear()

    def leave(self, deadline: asyncio.Timeout) -> None:
        """Count one less."""
        self._open.discard(deadline)
        if not self._open:
            self._nothing_open.set()

    async def drain(self, within_s: float) -> None:
        """Let nothing new begin, and return when all that is open has ended."""
        self.draining.set()
        until = asyncio.get_running_loop().time() + within_s
        for deadline in self._open:
            deadline.reschedule(until)
        await self._nothing_open.wait()


class Drain:
    """Counts what is open, and refuses new requests once the server stops."""

    def __init__(self, app: ASGIApp, traffic: Traffic) -> None:
        self._app = app
        self._traffic = traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["path"] in ALWAYS:
            await self._app(scope, receive, send)
            return
        if self._traffic.draining.is_set():
            raise HttpError(ErrorCode.SHUTTING_DOWN)
        deadline = asyncio.timeout(None)
        try:
            async with deadline:
                self._traffic.enter(deadline)
                await self._app(scope, receive, send)
        except TimeoutError:
            if not deadline.expired():
                raise
            message = "the server is stopping and could not wait any longer"
            raise HttpError(ErrorCode.SHUTTING_DOWN, message) from None
        finally:
            self._traffic.leave(deadline)
