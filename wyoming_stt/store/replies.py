"""What a server's answer to a download, or to the rest of one, means."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import requests
from urllib3.exceptions import ReadTimeoutError

from wyoming_stt.store.catalog import MAX_DOWNLOAD_BYTES

__all__ = ["HOPELESS", "Reply", "explain", "read_reply"]

TRY_AGAIN: Final = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
MAX_TAG_LENGTH: Final = 200

HOPELESS: Final = (
    requests.TooManyRedirects,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.SSLError,
)
"""Errors of a kind that another try does not mend."""

_EXPLANATIONS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (requests.ConnectTimeout, "no connection in time"),
    (requests.Timeout, "nothing came for too long"),
    (ReadTimeoutError, "nothing came for too long"),
    (requests.exceptions.SSLError, "its certificate cannot be trusted"),
    (requests.exceptions.ProxyError, "the proxy refuses"),
    (requests.ConnectionError, "no connection"),
    (requests.TooManyRedirects, "redirects without end"),
    (requests.exceptions.InvalidSchema, "redirects to something else than http"),
    (requests.exceptions.InvalidURL, "redirects to an address that is none"),
)
"""More special kinds of error before the more general."""

_LENGTH = re.compile(r"[0-9]{1,15}")
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,15})-([0-9]{1,15})/([0-9]{1,15}|\*)")


@dataclass(frozen=True, slots=True)
class Reply:
    """How to take the answer."""

    refusal: str = ""
    """Why this address will never give the file."""
    interruption: str = ""
    """Why it does not give it now."""
    wait_s: float = 0.0
    """How long the server asks to wait before the next try."""
    restart: bool = False
    """What was received so far is of no use."""
    total: int | None = None
    """Size of the whole file, as the server says."""
    tag: str | None = None
    """Its strong entity tag: the same tag, the same bytes."""


def read_reply(response: requests.Response, asked_from: int, published: int | None = None) -> Reply:
    """Read the status and headers.

    Args:
        response: the answer, its body not yet read.
        asked_from: the first byte asked for.
        published: size of the whole file, if it is known.
    """
    hops = [*(hop.url for hop in response.history), response.url]
    if hops[0].startswith("https:") and not all(hop.startswith("https:") for hop in hops):
        return Reply(refusal="redirects from https:// to an address without encryption")
    match response.status_code:
        case status if status in TRY_AGAIN:
            return Reply(interruption=f"answers {status}", wait_s=_retry_after_s(response))
        case HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return Reply(interruption="has no such part", restart=True)
        case HTTPStatus.OK | HTTPStatus.PARTIAL_CONTENT:
            return _of_size(_content(response, asked_from), published)
        case status:
            return Reply(refusal=f"answers {status}")


def explain(error: Exception) -> str:
    """Shorten what the HTTP library says to what a person can use."""
    return next((text for kind, text in _EXPLANATIONS if isinstance(error, kind)), "it broke off")


def _content(response: requests.Response, asked_from: int) -> Reply:
    if response.headers.get("Content-Encoding", "identity") != "identity":
        return Reply(refusal="sends it compressed, which was not asked for")
    if response.status_code == HTTPStatus.OK:
        found = _LENGTH.fullmatch(response.headers.get("Content-Length", ""))
        total = int(found[0]) if found else None
        return Reply(restart=True, total=total, tag=_tag(response))
    found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if not found or int(found[1]) != asked_from:
        return Reply(interruption="sends another part than asked for", restart=True)
    last, total = int(found[2]), None if found[3] == "*" else int(found[3])
    if last < asked_from or (total is not None and last >= total):
        return Reply(interruption="sends a part that cannot be", restart=True)
    return Reply(total=total, tag=_tag(response))


def _of_size(reply: Reply, published: int | None) -> Reply:
    """Refuse a file that is not as large as it has to be."""
    if published and reply.total and reply.total != published:
        return Reply(refusal=f"has {reply.total} bytes instead of the published {published}")
    if (reply.total or 0) > MAX_DOWNLOAD_BYTES:
        return Reply(refusal=f"has {reply.total} bytes, more than a model may have")
    return reply


def _tag(response: requests.Response) -> str | None:
    """Return the entity tag; a weak one promises no more than a likeness."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') and len(tag) <= MAX_TAG_LENGTH else None


def _retry_after_s(response: requests.Response) -> float:
    """Read `Retry-After`, which is a number of seconds or a date."""
    value = response.headers.get("Retry-After", "")
    if value.isascii() and value.isdecimal():
        return float(value)
    try:
        return (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError):  # none, or one without a time zone
        return 0.0
