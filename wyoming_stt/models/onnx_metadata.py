"""Metadata of an ONNX file without loading its weights, so that asking for the family is free.

An ONNX file is a protobuf message `ModelProto`; field 14 is `metadata_props`, repeated messages of
key (1) and value (2) (onnx.proto3). Everything else is stepped over.
"""

from collections.abc import Mapping
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
    metadata: dict[str, str] = {}
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            while (field := _next_field(file)) is not None:
                number, length = field
                if number == _METADATA_PROPS:
                    if length > _MAX_ENTRY_BYTES:
                        raise ValueError(f"a metadata entry of {length} bytes")
                    key, value = _entry(file.read(length))
                    metadata[key] = value
                elif file.seek(length, 1) > size:
                    raise ValueError("the file ends too early")
    except FileNotFoundError as error:
        raise ModelFileError(path, "an ONNX model", "nothing") from error
    except ValueError as error:
        raise ModelFileError(path, "an ONNX model", f"something else ({error})") from error
    return metadata


def _next_field(file: BinaryIO) -> tuple[int, int] | None:
    """Read a field's number and the bytes still to come of it; None at the end of the file."""
    tag = _varint(file)
    if tag is None:
        return None
    number, wire_type = tag >> 3, tag & 7
    if wire_type == _VARINT:
        _varint(file)
        return number, 0
    if wire_type == _BYTES:
        return number, _varint(file) or 0
    if wire_type in (_FIXED64, _FIXED32):
        return number, 8 if wire_type == _FIXED64 else 4
    raise ValueError(f"protobuf wire type {wire_type}")


def _entry(message: bytes) -> tuple[str, str]:
    file, parts = BytesIO(message), {1: "", 2: ""}
    while (field := _next_field(file)) is not None:
        number, length = field
        parts[number] = file.read(length).decode("utf-8")
    return parts[1], parts[2]


def _varint(file: BinaryIO) -> int | None:
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            if shift:
                raise ValueError("the file ends inside a number")
            return None
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:  # noqa: PLR2004 - the continuation bit of a varint
            return value
    raise ValueError("a number of over 64 bits")
