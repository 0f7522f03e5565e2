"""Reads a client of whom nothing new is expected only now and then.

A microphone that is left on sends ten frames a second and more. To wake up for each costs several
times what it costs to listen to it; so while nobody speaks, frames are left to the kernel and taken
a few at a time, those of all such clients in the same turn of the loop (`bench/websockets.py`).
"""

import asyncio
from typing import Any, Final

from starlette.types import Scope
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

__all__ = ["NAP_S", "Pace", "PacedReader", "pace_of"]

NAP_S: Final = 0.4
"""Between two reads. As much later may the first words appear after a silence; the last ones do
not, since whoever speaks is read at once."""
MICROPHONE_BYTES: Final = 2 * 96_000
"""A second. Microphones send 48 kHz at most, half of this; who sends more reads from a file, and is
not kept waiting."""
_EXTENSION: Final = "wyoming_stt.pace"


class Pace:
    """How a connection is read; its route says."""

    def __init__(self) -> None:
        self.is_calm = False
        """Whether what comes may be read later, and all together."""
        self.max_joined_bytes = 0
        """How long a frame may become that is made of several."""


def pace_of(scope: Scope) -> Pace:
    """Find the pace of a connection; setting it has no effect where another server runs us."""
    pace: Pace = scope["extensions"].get(_EXTENSION) or Pace()
    return pace


class PacedReader(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket, which reads on only when all was taken that it has read."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._pace = Pace()
        self._held: Any = None
        self._napped_at = 0.0
        self._bytes_since = 0

    async def run_asgi(self) -> None:
        """Show the pace to the application."""
        extensions: dict[str, Any] = self.scope["extensions"]
        extensions[_EXTENSION] = self._pace
        await super().run_asgi()

    async def receive(self) -> Any:
        """Return the next message; read on when there is none, or when it was the last."""
        is_calm = self._pace.is_calm
        if self._held is not None:
            message, self._held = self._held, None
        else:
            if self.queue.empty() and self.read_paused:
                if is_calm:
                    await self._nap()
                self._read_on()
            message = await self.queue.get()
        if is_calm and "bytes" in message:
            return {"type": message["type"], "bytes": self._joined(message["bytes"])}
        if self.queue.empty() and self.read_paused:
            self._read_on()
        return message

    async def _nap(self) -> None:
        now = self.loop.time()
        if self._bytes_since <= MICROPHONE_BYTES * (now - self._napped_at):
            self._napped_at, self._bytes_since = now, 0
            await asyncio.sleep(NAP_S - now % NAP_S)

    def _joined(self, pcm: bytes) -> bytes:
        """Add the frames that have come after it."""
        frames, size = [pcm], len(pcm)
        while not self.queue.empty():
            message: Any = self.queue.get_nowait()
            size += len(message.get("bytes", ()))
            if "bytes" not in message or size > self._pace.max_joined_bytes:
                self._held = message
                break
            frames.append(message["bytes"])
        joined = b"".join(frames)
        self._bytes_since += len(joined)
        return joined

    def _read_on(self) -> None:
        self.read_paused = False
        if self.writable.is_set():  # a client that does not read is not read from, either
            self.transport.resume_reading()
