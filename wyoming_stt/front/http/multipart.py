"""A form that is read while it arrives: its file is decoded before the last byte has come."""

from collections import defaultdict, deque
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from wyoming_stt.front.http.errors import ErrorCode, HttpError

__all__ = ["FILE", "Form", "is_form"]

FILE: Final = "file"
"""The field that holds the recording, here as in OpenAI's interface."""
MAX_FIELDS: Final = 64
"""OpenAI's clients send a dozen at most."""
MAX_FIELD_BYTES: Final = 65_536
"""A prompt of thousands of words."""
_TYPE: Final = b"multipart/form-data"


def is_form(content_type: str) -> bool:
    """Tell whether a body of this type is a form, rather than a recording itself."""
    return bool(parse_options_header(content_type)[0] == _TYPE)


class Form:
    """A `multipart/form-data` body; `fields` holds what was read of it, the file aside.

    Reading raises `HttpError` where the form is not well-formed, or has more than it may.
    """

    def __init__(self, content_type: str, body: AsyncIterable[bytes]) -> None:
        self.fields: dict[str, list[str]] = defaultdict(list)
        self._parts = _Parts(content_type)
        self._items = self._read(body)
        self._num_parts = 0

    async def file(self) -> AsyncIterator[bytes]:
        """Read up to the file, and return its pieces; after the last, all fields are known."""
        async for item in self._items:
            if await self._begins_file(item):
                return self._file()
        raise HttpError(ErrorCode.INVALID_REQUEST, f"the form has no field {FILE!r}", status=422)

    async def _file(self) -> AsyncIterator[bytes]:
        async for item in self._items:
            if item is None:
                break
            if isinstance(item, bytes):
                yield item
        async for item in self._items:
            if await self._begins_file(item):
                raise HttpError(ErrorCode.INVALID_REQUEST, "the form has more than one file")

    async def _begins_file(self, item: "_Item") -> bool:
        """Tell whether the part is the file; of another one read the value."""
        if not isinstance(item, _Name):
            return False
        self._num_parts += 1
        if self._num_parts > MAX_FIELDS:
            raise HttpError(ErrorCode.INVALID_REQUEST, f"the form has over {MAX_FIELDS} fields")
        if item.name == FILE:
            return True
        value = bytearray()
        async for piece in self._items:
            if piece is None:
                break
            if isinstance(piece, bytes):
                value += piece
            if len(value) > MAX_FIELD_BYTES:
                message = f"field {item.name!r} has over {MAX_FIELD_BYTES} bytes"
                raise HttpError(ErrorCode.INVALID_REQUEST, message)
        try:
            self.fields[item.name].append(value.decode())
        except UnicodeDecodeError:
            message = f"field {item.name!r} is not UTF-8"
            raise HttpError(ErrorCode.INVALID_REQUEST, message) from None
        return False

    async def _read(self, body: AsyncIterable[bytes]) -> AsyncIterator["_Item"]:
        received = 0
        async for data in body:
            received += len(data)
            for item in self._parts.push(data):
                yield item
        if not received:
            raise HttpError(ErrorCode.EMPTY_BODY)
        if not self._parts.is_complete:
            raise HttpError(ErrorCode.INVALID_REQUEST, "the form breaks off: its end is missing")


@dataclass(frozen=True, slots=True)
class _Name:
    """A part begins."""

    name: str


_Item = _Name | bytes | None
"""What a form consists of, in its order: a name, pieces of the value, None at its end."""


class _Parts:
    """The parser's callbacks, as a queue."""

    def __init__(self, content_type: str) -> None:
        boundary = parse_options_header(content_type)[1].get(b"boundary")
        if not boundary:
            raise HttpError(ErrorCode.INVALID_REQUEST, "the form's Content-Type has no boundary")
        self.is_complete = False
        self._items: deque[_Item] = deque()
        self._header: tuple[bytearray, bytearray] = (bytearray(), bytearray())
        self._disposition = b""
        callbacks: dict[str, Any] = {
            "on_part_begin": self._begin,
            "on_header_field": self._name_header,
            "on_header_value": self._fill_header,
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._complete,
        }
        try:
            self._parser = MultipartParser(boundary, callbacks)  # type: ignore[arg-type]
        except FormParserError as error:
            raise _malformed(error) from None

    def push(self, data: bytes) -> deque[_Item]:
        """Parse; return the queue, from which the caller may take everything."""
        self._items.clear()
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise _malformed(error) from None
        return self._items

    def _begin(self) -> None:
        self._disposition = b""

    def _name_header(self, data: bytes, start: int, end: int) -> None:
        self._header[0].extend(data[start:end])

    def _fill_header(self, data: bytes, start: int, end: int) -> None:
        self._header[1].extend(data[start:end])

    def _end_header(self) -> None:
        name, value = self._header
        if name.lower() == b"content-disposition":
            self._disposition = bytes(value)
        self._header = (bytearray(), bytearray())

    def _end_headers(self) -> None:
        name = parse_options_header(self._disposition)[1].get(b"name")
        if name is None:
            raise FormParserError("a part has no name")
        self._items.append(_Name(name.decode(errors="replace")))

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._items.append(data[start:end])

    def _end(self) -> None:
        self._items.append(None)

    def _complete(self) -> None:
        self.is_complete = True


def _malformed(error: FormParserError) -> HttpError:
    return HttpError(ErrorCode.INVALID_REQUEST, f"the form cannot be read: {error}")
