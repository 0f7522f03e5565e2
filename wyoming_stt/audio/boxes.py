"""The boxes of an MP4 file, as far as they tell whether it can be read forwards."""

import struct
from typing import Final

__all__ = ["HEAD_BYTES", "needs_seeking"]

HEAD_BYTES: Final = 4_096
"""As much of a file as has to be looked at: what precedes the table or the sound is small."""
_HEADER_BYTES: Final = 8
_FIRST: Final = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot"}


def needs_seeking(head: bytes) -> bool:
    """Tell from the first bytes of a file whether it is an MP4 with its table behind the sound.

    Recorders write it last, as they know only then what they recorded; `faststart` and fragmented
    files have it first.
    """
    position = 0
    while position + _HEADER_BYTES <= len(head):
        size, kind = struct.unpack_from(">I4s", head, position)
        if position == 0 and kind not in _FIRST:
            return False
        if kind in {b"moov", b"mdat"}:
            return bool(kind == b"mdat")
        if size == 1 and position + 2 * _HEADER_BYTES <= len(head):
            (size,) = struct.unpack_from(">Q", head, position + _HEADER_BYTES)
        if size < _HEADER_BYTES:  # to the end of the file, or nonsense
            return True
        position += size
    return position > 0
