"""Metadata of an ONNX file without loading its weights, so that asking for the family is free.

An ONNX file is a protobuf message `ModelProto`; field 14 is `metadata_props`, repeated messages of
key (1) and value (2) (onnx.proto3). Everything else is stepped over.
"""

from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from wyoming_stt.errors import ModelFileError

__all__ = ["read_metadata"]

_METADATA_PROPS = 14
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_ENTRY_BYTES = 1 << 20
"""A metadata entry is a few words; Nemotron's table of languages, the longest known, is 3 kB."""


def read_metadata(path: Path) -> Mapping[str, str]:
    """Read key-value metadata.

    Raises:
        ModelFileError: the file is missing or no ONNX model.
    """
    try:
        with path.open("rb") as file:
            return _metadata(file)
    except OSError as error:
        found = f"nothing readable ({error.strerror})"
        raise ModelFileError(path, "an ONNX model", found) from error
    except ValueError as error:
        raise ModelFileError(path, "an ONNX model", f"something else ({error})") from error


def _metadata(file: BinaryIO) -> dict[str, str]:
    size = file.seek(0, 2)
    file.seek(0)
    if not size:
        raise ValueError("the file is empty")
    metadata: dict[str, str] = {}
    for number, length in _fields(file, size):
        if number != _METADATA_PROPS:
            file.seek(length, 1)
        elif length > _MAX_ENTRY_BYTES:
            raise ValueError(f"a metadata entry of {length} bytes")
        else:
            key, value = _entry(file.read(length))
            metadata[key] = value
    return metadata


def _entry(message: bytes) -> tuple[str, str]:
    file, parts = BytesIO(message), {1: "", 2: ""}
    for number, length in _fields(file, len(message)):
        parts[number] = file.read(length).decode("utf-8")
    return parts[1], parts[2]


def _fields(file: BinaryIO, size: int) -> Iterator[tuple[int, int]]:
    """Yield each field's number and bytes, which the caller has to read or to step over."""
    while file.tell() < size:
        tag = _varint(file)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == _VARINT:
            _varint(file)
            length = 0
        elif wire_type == _BYTES:
            length = _varint(file)
        elif wire_type in (_FIXED64, _FIXED32):
            length = 8 if wire_type == _FIXED64 else 4
        else:
            raise ValueError(f"protobuf wire type {wire_type}")
        if file.tell() + length > size:
            raise ValueError("the file ends too early")
        yield number, length


def _varint(file: BinaryIO) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            raise ValueError("the file ends inside a number")
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:  # noqa: PLR2004 - the continuation bit of a varint
            return value
    raise ValueError("a number of over 64 bits")
