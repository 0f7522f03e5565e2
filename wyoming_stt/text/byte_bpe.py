"""Byte-level BPE as icefall trains it: each byte is one printable character of a piece.

Bytes 32 to 126 stand for themselves; the others take, in their order, the characters from U+0100
on that Unicode's NFKC form leaves alone (icefall `byte_utils.py`).
"""

import unicodedata
from collections.abc import Mapping, Sequence
from types import MappingProxyType

__all__ = ["decode", "is_byte_bpe"]

_WORD_START = "▁"
_SPACE = ord(" ")
_PRINTABLE = range(_SPACE, 127)
_LAST_LEAD_BYTE = 0xC6
"""UTF-8 lead byte of the table's last characters, U+0180 to U+01A6."""


def _table() -> Mapping[str, int]:
    stand_ins = (
        chr(code) for code in range(0x100, 0x200) if unicodedata.is_normalized("NFKC", chr(code))
    )
    table = {chr(b) if b in _PRINTABLE else next(stand_ins): b for b in range(256)}
    return MappingProxyType(table | {"⁇": _SPACE})


_BYTES = _table()


def is_byte_bpe(pieces: Sequence[str]) -> bool:
    """Tell by the greatest UTF-8 byte in any piece, which is 0xC6 only in such a vocabulary."""
    greatest = (max(piece.removeprefix(_WORD_START).encode("utf-8"), default=0) for piece in pieces)
    return max(greatest, default=0) == _LAST_LEAD_BYTE


def decode(pieces: Sequence[str]) -> str:
    """Turn pieces into text; an unfinished character at the end is left out."""
    out = bytearray()
    for character in "".join(pieces):
        if character == _WORD_START:
            if out and out[-1] in _PRINTABLE and out[-1] != _SPACE:
                out.append(_SPACE)
        elif character in _BYTES:
            out.append(_BYTES[character])
    return out.decode("utf-8", errors="ignore")
