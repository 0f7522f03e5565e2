"""Tells a client that its job has ended, as https://www.standardwebhooks.com describes it.

An address comes from a stranger and is called from inside the house: only what resolves to public
addresses, or was named in the settings, is called, at the address that was looked at, and no
redirect is followed.
"""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import re
import socket
import ssl
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import SplitResult, urlsplit

from wyoming_stt.errors import BadRequestError
from wyoming_stt.jobs.job import Job

__all__ = ["CallbackGuard", "Target", "message", "post", "signed"]

MAX_URL_CHARS: Final = 2_000
"""Longer ones are refused by proxies, too."""
_PORTS: Final = {"http": 80, "https": 443}
_TRANSLATED: Final = ip_network("64:ff9b::/96")
"""IPv4 addresses, maybe private ones, behind a NAT64."""
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)\b")


@dataclass(frozen=True, slots=True)
class Target:
    """An address that may be called."""

    url: SplitResult
    address: str
    port: int


class CallbackGuard:
    """Knows who may be called; `hosts` may although they are private."""

    def __init__(self, hosts: Collection[str]) -> None:
        self._hosts = {host.lower() for host in hosts}

    async def check(self, url: str) -> Target:
        """Look an address up.

        Raises:
            BadRequestError: it is none, cannot be found, or must not be called.
        """
        parts, port = _parse(url)
        host = (parts.hostname or "").lower()
        addresses = await _look_up(host, port)
        if not addresses:
            raise BadRequestError(f"callback_url: {host!r} cannot be found")
        if host not in self._hosts and not all(map(_is_public, addresses)):
            message = (
                f"callback_url: {host!r} is in a private network (setting jobs.callback_hosts)"
            )
            raise BadRequestError(message)
        return Target(parts, addresses[0], port)


def message(job: Job) -> bytes:
    """Say what has become of a job; its words are to be fetched."""
    data = {"job_id": job.id, "status": job.state, "sha256": job.sha256}
    if job.error is not None:
        data["error"] = job.error.message
    ended = job.completed_at.isoformat() if job.completed_at else None
    return json.dumps({"type": f"job.{job.state}", "timestamp": ended, "data": data}).encode()


def signed(job: Job, body: bytes, secret: str | None, now: datetime) -> dict[str, str]:
    """Return the headers; with a secret, the other side can tell that it was us, and when."""
    seconds = str(int(now.timestamp()))
    headers = {"webhook-id": job.id, "webhook-timestamp": seconds}
    if secret is not None:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        content = b".".join((job.id.encode(), seconds.encode(), body))
        digest = hmac.new(key, content, hashlib.sha256).digest()
        headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return headers


async def post(target: Target, body: bytes, headers: Mapping[str, str]) -> int:
    """Call it; return the status of its answer, of which no more is read.

    For as long as the other side likes, without a thread: whoever cancels it is rid of it.

    Raises:
        OSError, ValueError: there is no answer, or none in HTTP.
    """
    url = target.url
    fields = {
        **headers,
        "Host": url.netloc,
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "User-Agent": "wyoming-stt",
        "Connection": "close",
    }
    path = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
    head = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    is_secret = url.scheme == "https"
    reader, writer = await asyncio.open_connection(
        target.address,
        target.port,
        ssl=_trusted() if is_secret else None,
        server_hostname=url.hostname if is_secret else None,
    )
    try:
        writer.write("\r\n".join([*head, "", ""]).encode() + body)
        await writer.drain()
        return await _status(reader)
    finally:
        writer.transport.abort()


async def _status(reader: asyncio.StreamReader) -> int:
    while True:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            raise ConnectionError("it hung up without an answer") from None
        except asyncio.LimitOverrunError:
            raise ValueError("the head of its answer is too long") from None
        answer = _STATUS.match(head)
        if answer is None:
            raise ValueError("its answer is not HTTP")
        status = int(answer[1])
        if status >= HTTPStatus.OK:  # before, it says that it has heard, not what it thinks
            return status


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()


async def _look_up(host: str, port: int) -> list[str]:
    """Return the addresses of a name; none where it cannot be found.

    In a thread that nobody has to wait for: a name server may take half a minute to say nothing,
    and the threads of the event loop are needed for uploads.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[str]] = loop.create_future()

    def settle(addresses: list[str]) -> None:
        if not found.done():
            found.set_result(addresses)

    def ask() -> None:
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            entries = []
        addresses = [str(entry[4][0]).partition("%")[0] for entry in entries]
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, addresses)

    threading.Thread(target=ask, name="look up", daemon=True).start()
    return await found


def _parse(url: str) -> tuple[SplitResult, int]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadRequestError("callback_url: this is no address") from None
    is_printable = url.isascii() and url.isprintable() and " " not in url
    if parts.scheme not in _PORTS or not parts.hostname or not is_printable:
        raise BadRequestError("callback_url: expected an address such as https://example.com/done")
    if len(url) > MAX_URL_CHARS or parts.username is not None:
        raise BadRequestError("callback_url: too long, or with a user's name, which is not sent")
    return parts, port or _PORTS[parts.scheme]


def _is_public(text: str) -> bool:
    address: IPv4Address | IPv6Address = ip_address(text)
    if isinstance(address, IPv6Address):
        if address.sixtofour or address.teredo or address in _TRANSLATED:
            return False
        address = address.ipv4_mapped or address
    return address.is_global and not address.is_multicast
