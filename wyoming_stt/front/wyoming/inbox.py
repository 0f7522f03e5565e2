"""Audio between the one who reads it and the one who decodes it."""

import asyncio
from typing import Final

__all__ = ["Inbox"]

MAX_WAITING_BYTES: Final = 65_536
"""Audio that may wait, and then the reading does: 2 s of what Home Assistant sends. A model that
slow is behind anyway, and it hears no less for the rest being kept by TCP."""


class Inbox:
    """Put in by the chunk, taken out all at once.

    Chunks join while the engine is busy, so that the busier it is, the fewer calls it gets.
    """

    def __init__(self) -> None:
        self._pcm = bytearray()
        self._ended = False
        self._closed = False
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()

    async def put(self, pcm: bytes) -> None:
        """Add audio, as soon as there is room for it."""
        while len(self._pcm) >= MAX_WAITING_BYTES and not self._closed:
            self._emptied.clear()
            await self._emptied.wait()
        self._pcm += pcm
        self._filled.set()

    def end(self) -> None:
        """Say that there will be no more."""
        self._ended = True
        self._filled.set()

    async def take(self) -> bytes | None:
        """Wait for audio and return all there is; None after the last."""
        while not self._pcm and not self._ended:
            self._filled.clear()
            await self._filled.wait()
        if not self._pcm:
            return None
        pcm = bytes(self._pcm)
        self._pcm.clear()
        self._emptied.set()
        return pcm

    def close(self) -> None:
        """Say that nothing will be taken any more: whoever puts must not wait."""
        self._closed = True
        self._emptied.set()
