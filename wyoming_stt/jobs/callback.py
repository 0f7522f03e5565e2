"""Tells a client that its job has ended, as https://www.standardwebhooks.com describes it.

An address comes from a stranger and is called from inside the house: only what resolves to public
addresses, or was named in the settings, is called, at the address that was looked at, and no
redirect is followed.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import SplitResult, urlsplit

import urllib3

from wyoming_stt.errors import BadRequestError
from wyoming_stt.jobs.job import Job

__all__ = ["CallbackGuard", "Target", "message", "post", "signed"]

MAX_URL_CHARS: Final = 2_000
"""Longer ones are refused by proxies, too."""
_PORTS: Final = {"http": 80, "https": 443}
_TRANSLATED: Final = ip_network("64:ff9b::/96")
"""IPv4 addresses, maybe private ones, behind a NAT64."""


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
        try:
            loop = asyncio.get_running_loop()
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise BadRequestError(f"callback_url: {host!r} cannot be found") from None
        addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
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


def post(target: Target, body: bytes, headers: Mapping[str, str], timeout_s: float) -> int:
    """Call it, outside the event loop; return the status of its answer.

    Raises:
        urllib3.exceptions.HTTPError: there is none.
    """
    url, host = target.url, target.url.hostname
    timeout = urllib3.Timeout(timeout_s)
    headers = {**headers, "Host": url.netloc.rpartition("@")[2], "Content-Type": "application/json"}
    pool: urllib3.HTTPConnectionPool
    if url.scheme == "https":
        pool = urllib3.HTTPSConnectionPool(
            target.address,
            target.port,
            timeout=timeout,
            retries=False,
            assert_hostname=host,
            server_hostname=host,
        )
    else:
        pool = urllib3.HTTPConnectionPool(
            target.address, target.port, timeout=timeout, retries=False
        )
    path = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
    with pool:
        answer = pool.request(
            "POST", path, body=body, headers=headers, redirect=False, preload_content=False
        )
        answer.close()
        return answer.status


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
