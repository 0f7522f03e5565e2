import struct

import pytest

from wyoming_stt.audio.boxes import needs_seeking


def box(kind: bytes, size: int = 16) -> bytes:
    return struct.pack(">I4s", size, kind) + bytes(size - 8)


def long_box(kind: bytes, size: int) -> bytes:
    return struct.pack(">I4sQ", 1, kind, size) + bytes(size - 16)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"RIFF\x00\x00\x00\x00WAVEfmt ",
        b"OggS" + bytes(40),
        box(b"ftyp") + box(b"moov"),
        box(b"ftyp") + box(b"free") + long_box(b"uuid", 40) + box(b"moov"),
    ],
)
def test_can_be_read_forwards(head: bytes) -> None:
    assert not needs_seeking(head)


@pytest.mark.parametrize(
    "head",
    [
        box(b"ftyp") + box(b"mdat"),
        box(b"ftyp") + box(b"free") + long_box(b"mdat", 40),
        box(b"wide", 8) + box(b"mdat"),
        box(b"ftyp"),
        box(b"ftyp") + struct.pack(">I4s", 0, b"free"),
        box(b"ftyp") + struct.pack(">I4s", 1, b"free"),
        box(b"ftyp") + struct.pack(">I4s", 4_000_000_000, b"free"),
    ],
)
def test_has_its_table_at_the_end_or_nobody_knows_where(head: bytes) -> None:
    assert needs_seeking(head)
