"""How long a client is waited for."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from wyoming_stt.front.http.errors import ErrorCode
from wyoming_stt.front.http.options import HttpOptions
from wyoming_stt.front.http.websocket.conversation import (
    Close,
    Leave,
    WebSocketCode,
    error_message,
)

__all__ = ["Patience"]

T = TypeVar("T")


class Patience:
    """Ends the wait for a message when the client is idle or here for too long, or we stop.

    One task watches all of that: a timer for every message would cost more than the message. Only
    waiting is ended, never work on what has come.
    """

    def __init__(self, options: HttpOptions, draining: asyncio.Event) -> None:
        self._options = options
        self._draining = draining
        self._waiting: asyncio.Timeout | None = None
        self._waits_since = 0.0
        self._end: Leave | None = None

    async def wait_for(self, receive: Callable[[], Awaitable[T]]) -> T | Leave:
        """Return the next message, or why there will be none."""
        while self._end is None:  # asked first: some clients never let us wait
            self._waits_since = asyncio.get_running_loop().time()
            waiting = self._waiting = asyncio.timeout(None)
            try:
                async with waiting:
                    return await receive()
            except TimeoutError:
                if not waiting.expired():
                    raise
            finally:
                self._waiting = None
        return self._end

    async def watch(self) -> None:
        """Run beside the conversation until it has to end."""
        self._end = await self._find_end()
        if self._waiting is not None:
            self._waiting.reschedule(asyncio.get_running_loop().time())

    async def _find_end(self) -> Leave:
        loop, options = asyncio.get_running_loop(), self._options
        begun = loop.time()
        session_end = begun + (options.max_session_s or float("inf"))
        self._waits_since = begun
        while True:
            idle_end = self._waits_since + options.idle_timeout_s
            try:
                async with asyncio.timeout_at(min(idle_end, session_end)):
                    await self._draining.wait()
                code = ErrorCode.SHUTTING_DOWN
                return Leave(Close.GOING_AWAY, error_message(code, code.example))
            except TimeoutError:
                pass
            if loop.time() >= session_end:
                text = f"the connection is {options.max_session_s:g} s old: connect anew"
                return _violation(WebSocketCode.MAX_SESSION, text)
            if self._waiting is None:
                self._waits_since = loop.time()  # it waits for us
            elif loop.time() >= self._waits_since + options.idle_timeout_s:
                text = f"nothing came for {options.idle_timeout_s:g} s"
                return _violation(WebSocketCode.IDLE_TIMEOUT, text)


def _violation(code: WebSocketCode, text: str) -> Leave:
    return Leave(Close.POLICY_VIOLATION, error_message(code, text))
