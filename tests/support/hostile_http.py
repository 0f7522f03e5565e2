"""A web server that does what real ones do on their worst days, on request.

Each path has content and a list of faults; every request takes the next fault off the list, and
behaves when none is left. What it was asked is kept, for tests to look at.
"""

import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["Fault", "HostileServer", "Page", "hostile_server"]

Fault = Callable[["_Handler", "Page"], None]


@dataclass
class Page:
    content: bytes
    faults: list[Fault] = field(default_factory=list)
    ranges: bool = True
    tag: str | None = None
    """Entity tag; by default a strong one of the content."""
    requests: list[dict[str, str]] = field(default_factory=list)

    def etag(self) -> str:
        return self.tag if self.tag is not None else f'"{sha256(self.content).hexdigest()}"'


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, pages: dict[str, Page], *args: object) -> None:
        self.pages = pages
        super().__init__(*args)

    def do_GET(self) -> None:
        self.close_connection = True
        page = self.pages.get(self.path)
        if page is None:
            self.send_error(404)
            return
        page.requests.append(dict(self.headers))
        fault = page.faults.pop(0) if page.faults else serve
        with suppress(BrokenPipeError, ConnectionResetError):
            fault(self, page)

    def end_headers(self) -> None:
        # Otherwise a client may send its next request into the closing connection.
        self.send_header("Connection", "close")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        pass

    def begin(self, page: Page, *, length: int | None = None, total: int | None = None) -> bytes:
        """Send the headers that the request deserves; return the body it deserves."""
        start = self.first_byte(page)
        if start is not None and start >= len(page.content):
            self.send_response(416)
            self.end_headers()
            return b""
        body = page.content[start or 0 :]
        self.send_response(200 if start is None else 206)
        if start is not None:
            last, size = len(page.content) - 1, total or len(page.content)
            self.send_header("Content-Range", f"bytes {start}-{last}/{size}")
        self.send_header("ETag", page.etag())
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        return body

    def first_byte(self, page: Page) -> int | None:
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        fresh = self.headers.get("If-Range") in {None, page.etag()}
        return int(found[1]) if found and page.ranges and fresh else None

    def reset(self) -> None:
        """Break the connection off, as a router that restarts does."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()


def serve(handler: _Handler, page: Page) -> None:
    handler.wfile.write(handler.begin(page))


def drop(after: int) -> Fault:
    """Break off after so many bytes."""

    def fault(handler: _Handler, page: Page) -> None:
        handler.wfile.write(handler.begin(page)[:after])
        handler.wfile.flush()
        handler.reset()

    return fault


def end_early(after: int) -> Fault:
    """Close in good order before everything promised was sent."""

    def fault(handler: _Handler, page: Page) -> None:
        handler.wfile.write(handler.begin(page)[:after])

    return fault


def stall(seconds: float, after: int = 0) -> Fault:
    def fault(handler: _Handler, page: Page) -> None:
        handler.wfile.write(handler.begin(page)[:after])
        handler.wfile.flush()
        time.sleep(seconds)

    return fault


def trickle(pause_s: float) -> Fault:
    """Send byte by byte, always in time for a timeout of single reads."""

    def fault(handler: _Handler, page: Page) -> None:
        for byte in handler.begin(page):
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            time.sleep(pause_s)

    return fault


def claim(length: int) -> Fault:
    """Lie about the length."""

    def fault(handler: _Handler, page: Page) -> None:
        handler.wfile.write(handler.begin(page, length=length))

    return fault


def claim_total(total: int) -> Fault:
    """Lie about the size of the whole when asked for the rest of it; consistently, if shorter."""

    def fault(handler: _Handler, page: Page) -> None:
        cut = Page(page.content[:total], tag=page.etag())
        handler.wfile.write(handler.begin(cut, total=total))

    return fault


def other_rest(handler: _Handler, page: Page) -> None:
    """Send the rest of what is there by now, whatever content was asked for."""
    page.content = bytes(len(page.content))
    del handler.headers["If-Range"]
    handler.wfile.write(handler.begin(page))


def raw(*lines: bytes, body: bytes = b"") -> Fault:
    """Send a status line, headers and a body as they are."""

    def fault(handler: _Handler, _: Page) -> None:
        handler.wfile.write(b"".join(line + b"\r\n" for line in (*lines, b"")) + body)

    return fault


def without_length(extra: bytes = b"") -> Fault:
    """Send no length at all, and perhaps more than there is."""

    def fault(handler: _Handler, page: Page) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(page.content + extra)

    return fault


def wrong_bytes(handler: _Handler, page: Page) -> None:
    body = bytearray(handler.begin(page))
    body[len(body) // 2] ^= 1
    handler.wfile.write(bytes(body))


def wrong_part(handler: _Handler, page: Page) -> None:
    """Answer a request for the rest with another part."""
    handler.send_response(206)
    size = len(page.content)
    handler.send_header("Content-Range", f"bytes 0-{size - 1}/{size}")
    handler.send_header("Content-Length", str(size))
    handler.end_headers()
    handler.wfile.write(page.content)


def compressed(handler: _Handler, page: Page) -> None:
    handler.send_response(200)
    handler.send_header("Content-Encoding", "gzip")
    handler.send_header("Content-Length", str(len(page.content)))
    handler.end_headers()
    handler.wfile.write(page.content)


def answer(status: int, **headers: str) -> Fault:
    def fault(handler: _Handler, _: Page) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return fault


class HostileServer:
    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        handler = partial(_Handler, self.pages)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def page(self, path: str, content: bytes, *faults: Fault, **more: object) -> Page:
        self.pages[path] = Page(content, list(faults), **more)
        return self.pages[path]


@contextmanager
def hostile_server() -> Iterator[HostileServer]:
    server = HostileServer()
    server.start()
    try:
        yield server
    finally:
        server.close()
