"""The content of a `.bz2` file, counted as it is decompressed."""

import bz2
import io
from typing import IO, Final

from wyoming_stt.errors import ArchiveError

__all__ = ["Decompressed"]

CHUNK_BYTES: Final = 1 << 16


class Decompressed(io.RawIOBase):
    """Reads one or several streams, as `bzip2 -d` does, up to a limit.

    Args:
        file: the compressed bytes.
        most_bytes: how much may come out.
    """

    def __init__(self, file: IO[bytes], most_bytes: int) -> None:
        self._file = file
        self._most_bytes = self._left = most_bytes
        self._decompressor = bz2.BZ2Decompressor()

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill the buffer as far as it goes; 0 is the end.

        Raises:
            ArchiveError: the limit is exceeded, or the file is damaged.
        """
        data = b""
        while not data:
            packed = self._packed()
            if packed is None:
                return 0
            try:
                data = self._decompressor.decompress(packed, len(buffer))
            except OSError as error:
                raise ArchiveError(str(error)) from error
        self._left -= len(data)
        if self._left < 0:
            raise ArchiveError(f"it unpacks to more than {self._most_bytes} bytes")
        buffer[: len(data)] = data
        return len(data)

    def _packed(self) -> bytes | None:
        """Return what the decompressor wants next, None after the last stream."""
        if self._decompressor.eof:
            rest = self._decompressor.unused_data or self._file.read(CHUNK_BYTES)
            self._decompressor = bz2.BZ2Decompressor()
            return rest or None
        if not self._decompressor.needs_input:
            return b""
        packed = self._file.read(CHUNK_BYTES)
        if not packed:
            raise ArchiveError("it ends too soon")
        return packed
