"""What uvicorn leaves open about a connection: how long its parts may take, how large they may be.

uvicorn waits for headers without end, keeps any amount of them, and holds a connection whose client
has stopped to read. A request in hand is the middleware's; everything around it is watched here.
"""

import asyncio
import json
import logging
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from wyoming_stt.front.http.errors import ErrorCode, HttpError, problem_of
from wyoming_stt.front.http.middleware.request_id import HEADER, choose_request_id
from wyoming_stt.front.http.options import HttpOptions
from wyoming_stt.front.http.websocket.pace import PacedReader

__all__ = ["DoorConfig", "HttpConnection", "WebSocketConnection"]

logger = logging.getLogger(__name__)

HEADERS_TOO_LARGE: Final = 431
LEAST_READ_S: Final = 1_000
"""Bytes a second that a client has to take, or it holds what it is answered from for ever."""


class DoorConfig(uvicorn.Config):
    """uvicorn's settings, with ours beside them."""

    def __init__(self, app: Any, options: HttpOptions, **settings: Any) -> None:
        super().__init__(app, **settings)
        self.options = options


class _ReaderGuard(asyncio.BaseProtocol):
    """Cuts a client that does not take what it is sent, whatever protocol it speaks."""

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    _stalled: asyncio.TimerHandle | None = None
    _unread = 0

    @property
    def _options(self) -> HttpOptions:
        config: DoorConfig = vars(self)["config"]
        return config.options

    def pause_writing(self) -> None:
        """Begin to wait for the client."""
        super().pause_writing()
        self._wait_for_reader()

    def resume_writing(self) -> None:
        """Wait no more: it has read."""
        super().resume_writing()
        self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more: it has gone."""
        super().connection_lost(exc)
        self._stop_waiting()

    def _wait_for_reader(self) -> None:
        self._unread = self.transport.get_write_buffer_size()
        timeout_s = self._options.write_timeout_s
        self._stalled = self.loop.call_later(timeout_s, self._check_reader)

    def _check_reader(self) -> None:
        """Go on waiting for one that reads, if slowly."""
        has_read = self._unread - self.transport.get_write_buffer_size()
        if has_read >= LEAST_READ_S * self._options.write_timeout_s:
            self._wait_for_reader()
        else:
            self.transport.abort()

    def _stop_waiting(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None


class HttpConnection(_ReaderGuard, HttpToolsProtocol):
    """Watches what lies between the requests of a connection, and their headers."""

    _in_head = False
    _head_bytes = 0
    _since = 0.0
    _check: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let a client in, if there is room."""
        super().connection_made(transport)
        if len(self.connections) > self._options.max_connections:
            logger.warning("a connection was cut: too many (setting http.max_connections)")
            transport.abort()
            return
        self._since = self.loop.time()
        self._check = self.loop.call_later(self._options.header_timeout_s, self._check_progress)

    def data_received(self, data: bytes) -> None:
        """Read on."""
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > self._options.max_header_bytes:
                self._refuse_head()

    def on_message_begin(self) -> None:
        """Note that a request begins."""
        super().on_message_begin()
        self._in_head, self._head_bytes, self._since = True, 0, self.loop.time()

    def on_headers_complete(self) -> None:
        """Pass the request on, unless its head is too large."""
        self._in_head = False
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > self._options.max_header_bytes:
            self._refuse_head()
        else:
            super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Note that what follows belongs to the next request, or to a body that nobody wanted."""
        self._since = self.loop.time()
        super().on_response_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over."""
        self._stop_checking()
        super().handle_websocket_upgrade()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        self._stop_checking()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Tell what could not even be read as a request."""
        self._refuse(HttpError(ErrorCode.INVALID_REQUEST, f"this is not HTTP/1.1: {msg}"))

    def _refuse_head(self) -> None:
        message = f"the headers are too large: the limit is {self._options.max_header_bytes} bytes"
        error = HttpError(ErrorCode.INVALID_REQUEST, message, status=HEADERS_TOO_LARGE)
        self._refuse(error)

    def _refuse(self, error: HttpError) -> None:
        if self.transport.is_closing():
            return
        problem = problem_of(error)
        logger.warning("%s: %s", problem.code, problem.message)
        body = json.dumps(problem.body).encode()
        head = (
            "Content-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n"
            f"{HEADER}: {choose_request_id(None)}\r\n"
            "Connection: close\r\n\r\n"
        )
        self.transport.write(STATUS_LINE[error.status_code] + head.encode() + body)
        self.transport.close()

    def _check_progress(self) -> None:
        """Cut a client that owes us the rest of something."""
        now = self.loop.time()
        is_serving = self.cycle is not None and not self.cycle.response_complete
        if is_serving or self.timeout_keep_alive_task is not None:
            self._since = now  # the time is the middleware's, or uvicorn's
        left_s = self._since + self._options.header_timeout_s - now
        if left_s > 0:
            self._check = self.loop.call_later(left_s, self._check_progress)
        else:
            self.transport.abort()

    def _stop_checking(self) -> None:
        if self._check is not None:
            self._check.cancel()
            self._check = None


class WebSocketConnection(_ReaderGuard, PacedReader):
    """Reads nothing more from a client that does not read itself: each ping would cost a pong."""

    def data_received(self, data: bytes) -> None:
        """Read on."""
        try:
            super().data_received(data)
        except ValueError as error:
            # A path or header that is not even text (UnicodeError) goes unnoticed until here.
            logger.warning("a WebSocket was cut: %s", error)
            self.transport.abort()
        if not self.writable.is_set():
            self.transport.pause_reading()

    async def send(self, message: Any) -> None:
        """Send on; a status that refuses the client is an end of the handshake, too."""
        await super().send(message)
        if self.close_sent:
            self.handshake_complete = True  # or uvicorn would log an error for each

    def pause_writing(self) -> None:
        """Begin to wait for the client."""
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """It has read."""
        super().resume_writing()
        if not self.read_paused:
            self.transport.resume_reading()
