"""Recordings decoded while they still arrive, a thread each, bounded on both sides of it.

    body ► at most 1 MiB ► FFmpeg, in a thread ► at most 2 s of PCM ► whoever iterates

A slow model slows the client down, a slow client lets the model wait; memory stays flat.
"""

import asyncio
import contextlib
import tempfile
import threading
from collections.abc import AsyncIterable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Final, Self, cast

from wyoming_stt.audio.boxes import HEAD_BYTES, needs_seeking
from wyoming_stt.audio.pcm import AudioFormat
from wyoming_stt.errors import AudioFormatError, LimitError, SttError
from wyoming_stt.pipe import BytePipe

if TYPE_CHECKING:
    from wyoming_stt.audio.media import MediaReader

__all__ = ["MediaOptions", "MediaStream"]

PIECE_S: Final = 0.5
"""PCM handed over at a time. A codec's own frames are so short that handing them from thread to
thread would take longer than decoding them."""
MAX_PIECES: Final = 4
_SPOOL_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class MediaOptions:
    """What a recording may cost."""

    max_duration_s: float = 86_400.0
    """Longest recording: a day. A small file can hold years of silence."""
    max_spool_bytes: int = 2 << 30
    """Largest MP4 file with its table at the end, which has to be kept on disk (in the folder for
    temporary files) until the whole of it is there."""
    section: str = "media"
    """Of the settings that these are, for messages."""


class MediaStream:
    """An asynchronous context manager and iterator: the sound of any file as PCM.

    `source` is a body that still arrives, a file, an open one, or a function that opens one: it is
    called, and what it returns is read and closed, in the thread. Bodies whose table comes last
    (MP4 as recorders write it) are spooled to disk before the first PCM comes out.

    Entering and iterating raise:
        AudioFormatError: there is no sound in it, it is damaged, or has more than 8 channels.
        LimitError: it is longer, or larger, than `options` allow.
        OSError: a file cannot be read.
        Whatever `source` raises where it is a body.
    """

    format: AudioFormat
    """Of the PCM; known once entered."""
    duration_s: float | None
    """What the container says, which may be wrong; known once entered."""

    def __init__(
        self,
        source: AsyncIterable[bytes] | Path | BinaryIO | Callable[[], BinaryIO],
        options: MediaOptions | None = None,
    ) -> None:
        self._source = source
        self._options = options or MediaOptions()
        self._loop = asyncio.get_running_loop()
        self._pipe: BytePipe | None = None
        self._pump: asyncio.Task[None] | None = None
        self._pieces: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        self._room = threading.Semaphore(MAX_PIECES)
        self._closed = False

    async def __aenter__(self) -> Self:
        source = self._source
        if isinstance(source, AsyncIterable):
            self._pipe = BytePipe(self._loop)
            self._pump = asyncio.create_task(self._pipe.fill(source), name="read media")
            source = cast("BinaryIO", self._pipe)
        # A thread of its own rather than one of a pool: it waits for a client, maybe for long.
        threading.Thread(target=self._decode, args=(source,), name="media", daemon=True).start()
        try:
            await self._take()  # an empty piece: the head was read
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        pcm = await self._take()
        if pcm is None:
            raise StopAsyncIteration
        return pcm

    async def aclose(self) -> None:
        """Stop reading and decoding, at any time; the thread ends by itself at its next step."""
        self._closed = True
        self._room.release()
        if self._pipe is not None and self._pump is not None:
            self._pipe.abort()
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)

    async def _take(self) -> bytes | None:
        item = await self._pieces.get()
        self._room.release()
        # A body that broke off is the reason, whatever FFmpeg makes of what there was.
        if self._pump is not None and self._pump.done():
            self._pump.result()
        if isinstance(item, Exception):
            raise item
        return item

    def _decode(self, source: Path | BinaryIO | Callable[[], BinaryIO]) -> None:
        """Run in the thread. Whatever happens, the event loop is told of the end."""
        # Imported here: FFmpeg takes 16 MB, and most servers are never sent a file.
        from wyoming_stt.audio.media import MediaReader  # noqa: PLC0415

        outcome: Exception | None = AudioFormatError("the recording cannot be decoded")
        try:
            with self._readable(source) as readable:
                self._read(MediaReader(readable))
            outcome = None
        except (SttError, OSError) as error:
            outcome = error
        finally:
            self._tell(outcome)

    def _read(self, reader: "MediaReader") -> None:
        self.format, self.duration_s = reader.format, reader.duration_s
        left = reader.format.seconds_to_bytes(self._options.max_duration_s)
        for pcm in _gathered(reader, reader.format.seconds_to_bytes(PIECE_S)):
            left -= len(pcm)
            if left < 0:
                limit = f"{self._options.max_duration_s:g} s"
                raise LimitError(
                    "the recording is too long", limit, f"{self._options.section}.max_duration_s"
                )
            self._room.acquire()
            if self._closed:
                return
            self._tell(pcm)

    @contextlib.contextmanager
    def _readable(
        self, source: Path | BinaryIO | Callable[[], BinaryIO]
    ) -> Iterator[Path | BinaryIO]:
        """Open what has to be opened; spool a body to disk where it cannot be read forwards."""
        if callable(source):
            with source() as opened:
                yield opened
            return
        if self._pipe is None or not needs_seeking(self._pipe.peek(HEAD_BYTES)):
            yield source
            return
        with tempfile.TemporaryFile() as file:
            while data := self._pipe.read(_SPOOL_BYTES):
                if file.tell() + len(data) > self._options.max_spool_bytes:
                    limit = f"{self._options.max_spool_bytes} bytes"
                    raise LimitError(
                        "the MP4 file is too large",
                        limit,
                        f"{self._options.section}.max_spool_bytes",
                    )
                file.write(data)
            file.seek(0)
            yield file

    def _tell(self, item: bytes | Exception | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._pieces.put_nowait, item)


def _gathered(pieces: "MediaReader", size: int) -> Iterator[bytes]:
    """Give an empty piece first, then join pieces up to at least that size."""
    yield b""
    gathered = bytearray()
    for pcm in pieces:
        gathered += pcm
        if len(gathered) >= size:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)
