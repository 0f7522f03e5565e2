"""Bytes on their way from the event loop to a thread, a bounded number at a time."""

import asyncio
import contextlib
import queue
from collections.abc import AsyncIterable
from typing import Final

__all__ = ["BytePipe"]

CHUNK_BYTES: Final = 1 << 16
MAX_CHUNKS: Final = 16
"""With 64 KiB each, 1 MiB waits at most."""


class BytePipe:
    """The event loop fills it, one thread reads it like a file that cannot be sought in."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._room = asyncio.Semaphore(MAX_CHUNKS)
        self._chunks: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._rest = b""
        self._ended = False

    async def fill(self, body: AsyncIterable[bytes]) -> None:
        """Write a body, waiting for the reader; of one that breaks off the rest is not read."""
        try:
            async for data in body:
                for start in range(0, len(data), CHUNK_BYTES):
                    await self._room.acquire()
                    self._chunks.put(data[start : start + CHUNK_BYTES])
        except BaseException:
            self.abort()
            raise
        self._chunks.put(b"")

    def abort(self) -> None:
        """Let the reader see the end at once, wherever it is."""
        self._ended = True
        self._chunks.put(b"")

    def read(self, size: int = CHUNK_BYTES) -> bytes:
        """Wait for data, and return up to `size` bytes; none is the end."""
        if not self._rest and not self._ended:
            self._rest = self._next()
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    def peek(self, size: int) -> bytes:
        """Wait for so many bytes, or the end, and leave them to be read."""
        while len(self._rest) < size and not self._ended:
            self._rest += self._next()
        return self._rest[:size]

    def _next(self) -> bytes:
        chunk = self._chunks.get()
        if not chunk:
            self._ended = True
            return b""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody fills it any more
            self._loop.call_soon_threadsafe(self._room.release)
        return chunk
