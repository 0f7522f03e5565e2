"""Recordings and results in a store that fsspec knows, such as S3.

Needs the extra `fsspec`, and what fsspec names for the kind of store. For S3, `s3` has both.
"""

import asyncio
import contextlib
import hashlib
import io
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, BinaryIO, Final, TypeVar, cast

import fsspec

from wyoming_stt.errors import JobsUnavailableError, LimitError
from wyoming_stt.jobs.job import File
from wyoming_stt.jobs.spool import Entry, SpoolLimits

__all__ = ["RemoteSpool"]

T = TypeVar("T")

PART_BYTES: Final = 8 << 20
"""Sent at a time; S3 takes parts of 5 MiB and more, and s3fs would gather 50 MiB."""
STEP_BYTES: Final = 1 << 20
"""Gathered of what arrives, and fetched ahead of who reads: half a minute of PCM."""
_TIMES: Final = ("LastModified", "mtime", "created", "last_modified")
"""Where kinds of stores tell when a file was written."""


class RemoteSpool:
    """A `Spool`. There is no file before it is closed, and none where it was discarded."""

    def __init__(self, url: str, limits: SpoolLimits) -> None:
        self._files: Any
        # Others write there too: what it has seen before, it must not believe.
        self._files, self._folder = fsspec.core.url_to_fs(url, use_listings_cache=False)
        self._limits = limits

    async def receive(self, name: str, audio: AsyncIterator[bytes]) -> File:
        """Keep a recording as it arrives; see `Spool`."""
        file = await self._do(self._create, name)
        digest, num_bytes, is_whole = hashlib.sha256(), 0, False
        waiting = bytearray()
        try:
            async for piece in audio:
                num_bytes += len(piece)
                if num_bytes > self._limits.max_file_bytes:
                    limit = f"{self._limits.max_file_bytes} bytes"
                    raise LimitError("the recording is too large", limit, "jobs.max_upload_bytes")
                digest.update(piece)
                waiting += piece
                if len(waiting) >= STEP_BYTES:
                    await self._do(file.write, bytes(waiting))
                    waiting.clear()
            await self._do(file.write, bytes(waiting))
            await self._do(file.close)
            await self._do(file.commit)
            is_whole = True
        finally:
            if not is_whole:
                await asyncio.shield(self._do(_discard, file))
        return File(name, num_bytes, digest.hexdigest())

    def open(self, name: str) -> BinaryIO:
        """Open a file to be read."""
        with _reachable(self._folder):
            file = self._files.open(self._path(name), "rb", block_size=STEP_BYTES)
        return cast("BinaryIO", _Opened(file, self._folder))

    async def write(self, name: str, data: bytes) -> File:
        """Keep a result."""
        await self._do(self._write, name, data)
        return File(name, len(data), hashlib.sha256(data).hexdigest())

    async def read(self, name: str) -> bytes:
        """Return a result."""
        data: bytes = await self._do(self._files.cat_file, self._path(name))
        return data

    async def remove(self, name: str) -> None:
        """Remove a file, if there is one."""
        await self._do(self._remove, self._path(name))

    async def entries(self) -> Sequence[Entry]:
        """Return all files."""
        return await self._do(self._entries)

    async def _do(self, call: Callable[..., T], *values: object) -> T:
        try:
            with _reachable(self._folder):
                return await asyncio.to_thread(call, *values)
        except FileNotFoundError as error:
            raise _unavailable(self._folder, error) from error

    def _path(self, name: str) -> str:
        return f"{self._folder}/{name}"

    def _create(self, name: str) -> Any:
        self._files.makedirs(self._folder, exist_ok=True)
        return self._files.open(self._path(name), "wb", block_size=PART_BYTES, autocommit=False)

    def _write(self, name: str, data: bytes) -> None:
        self._files.makedirs(self._folder, exist_ok=True)
        self._files.pipe_file(self._path(name), data)

    def _remove(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._files.rm_file(path)

    def _entries(self) -> list[Entry]:
        now = time.time()
        try:
            found = self._files.ls(self._folder, detail=True)
        except FileNotFoundError:
            return []  # nobody has kept anything yet
        return [
            Entry(info["name"].rpartition("/")[2], now - _written(info, now))
            for info in found
            if info["type"] == "file"
        ]


class _Opened(io.RawIOBase):
    """A file of the store; whoever reads it is told of the store's failures in our words."""

    def __init__(self, file: Any, folder: str) -> None:
        self._file = file
        self._folder = folder

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with _reachable(self._folder):
            data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        with _reachable(self._folder):
            return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def close(self) -> None:
        self._file.close()
        super().close()


@contextlib.contextmanager
def _reachable(folder: str) -> Iterator[None]:
    """Name whatever a store may raise, which is anything, but that there is no such file."""
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:
        raise _unavailable(folder, error) from error


def _unavailable(folder: str, error: Exception) -> JobsUnavailableError:
    return JobsUnavailableError(f"{folder} cannot be used: {str(error) or type(error).__name__}")


def _discard(file: Any) -> None:
    file.forced = True  # or what is left in its buffer would be sent when it is closed
    try:
        file.discard()
    finally:
        file.close()


def _written(info: dict[str, Any], now: float) -> float:
    """Return when; now, where the store does not tell."""
    at = next((info[name] for name in _TIMES if info.get(name) is not None), now)
    return at.timestamp() if isinstance(at, datetime) else float(at)
