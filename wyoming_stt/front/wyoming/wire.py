"""Reading events from strangers.

The `wyoming` package parses; nothing in it bounds what it reads, and it answers a broken event with
an exception of any kind, or with silence. So an event is first gathered within limits, and only a
whole one is given to the package.
"""

import asyncio
import contextlib
import io
import json
from typing import NamedTuple

from wyoming.event import Event
from wyoming.event import read_event as parse_bounded

from wyoming_stt.errors import BadRequestError, LimitError
from wyoming_stt.front.wyoming.options import WyomingOptions

__all__ = ["Lengths", "check_line", "parse_event", "read_event"]


async def read_event(reader: asyncio.StreamReader, first: bytes, options: WyomingOptions) -> Event:
    """Read the rest of the event that begins with the byte `first`.

    The reader must have been made with `limit=options.max_header_bytes`.

    Raises:
        LimitError: a part is too long, or takes too long.
        BadRequestError: it is no event, or ends in its middle.
    """
    try:
        async with asyncio.timeout(options.event_timeout_s):
            line = first if first == b"\n" else first + await _read_line(reader, options)
            lengths = check_line(line, options)
            data = await reader.readexactly(lengths.data)
            payload = await reader.readexactly(lengths.payload)
    except asyncio.IncompleteReadError as error:
        raise BadRequestError(
            f"the event ends in its middle: {len(error.partial)} of {error.expected} bytes came"
        ) from None
    except TimeoutError:
        raise LimitError(
            "the event is not complete", f"{options.event_timeout_s:g} s", "wyoming.event_timeout_s"
        ) from None
    return parse_event(line, data, payload)


class Lengths(NamedTuple):
    """Bytes that follow the line of an event."""

    data: int
    payload: int


def check_line(line: bytes, options: WyomingOptions) -> Lengths:
    """Check the JSON line of an event and return what follows it.

    Raises:
        BadRequestError: it is not an event's first line.
        LimitError: it announces more than we take.
    """
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        raise BadRequestError("the event is not a line of JSON") from None
    if not isinstance(event, dict):
        raise BadRequestError("the event is not a JSON object")
    if not isinstance(event.get("type"), str):
        raise BadRequestError("type: every event needs one, and it is a string")
    if not isinstance(event.get("data"), dict | None):
        raise BadRequestError("data: not a JSON object")
    return Lengths(
        _length(event, "data_length", options.max_data_bytes),
        _length(event, "payload_length", options.max_payload_bytes),
    )


def parse_event(line: bytes, data: bytes, payload: bytes) -> Event:
    """Turn a whole event into the package's type; its `data` is always a dictionary.

    Raises:
        BadRequestError: the data part is not a JSON object.
    """
    event = None
    # The package would also take a list of pairs for an object.
    if not data or data.lstrip().startswith(b"{"):
        # It makes None of what is not JSON, and lets other mistakes fly.
        with contextlib.suppress(AttributeError, RecursionError):
            event = parse_bounded(io.BytesIO(line.rstrip(b"\n") + b"\n" + data + payload))
    if event is None:
        raise BadRequestError("data: not a JSON object")
    event.data = event.data or {}
    return event


async def _read_line(reader: asyncio.StreamReader, options: WyomingOptions) -> bytes:
    try:
        return await reader.readline()
    except ValueError:
        raise LimitError(
            "the event's first line is too long",
            f"{options.max_header_bytes} bytes",
            "wyoming.max_header_bytes",
        ) from None


def _length(event: dict[str, object], field: str, most: int) -> int:
    value = event.get(field)
    if value is None:
        return 0
    if type(value) is not int or value < 0:
        raise BadRequestError(f"{field}: not a whole number of bytes")
    if value > most:
        setting = f"wyoming.max_{field.removesuffix('_length')}_bytes"
        raise LimitError(f"{field}: {value} bytes are too many", f"{most} bytes", setting)
    return value
