"""A file without a name that threads share: what does not fit in memory waits there."""

import os
import tempfile
import threading
from typing import IO

__all__ = ["TemporaryFile"]


class TemporaryFile:
    """A temporary file, used and closed in threads only.

    A call that was cancelled goes on in its thread. By then its descriptor might be another file,
    some other client's maybe, so whoever closes waits for it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._file: IO[bytes] | None = None
        self._closed = False

    def write(self, data: bytes, position: int) -> None:
        """Write at a position; without effect once it is closed."""
        with self._lock:
            if self._closed:
                return
            if self._file is None:
                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - see `close`
            while data:
                written = os.pwrite(self._file.fileno(), data, position)
                data, position = data[written:], position + written

    def read(self, size: int, position: int) -> bytes:
        """Read at a position; nothing once it is closed."""
        with self._lock:
            if self._file is None or self._closed:
                return b""
            return os.pread(self._file.fileno(), size, position)

    def close(self) -> None:
        """Close and delete it, when the call that is under way has ended."""
        with self._lock:
            self._closed = True
            if self._file is not None:
                self._file.close()
