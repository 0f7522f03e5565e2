"""Where recordings wait and results stay: files in a folder, which machines may share."""

import asyncio
import hashlib
import os
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Protocol

import aiofiles

from wyoming_stt.errors import JobsUnavailableError, LimitError, NoRoomError
from wyoming_stt.jobs.job import File
from wyoming_stt.store import durable

__all__ = ["Entry", "FolderSpool", "Spool", "SpoolLimits"]

LOOK_EVERY: Final = 16 << 20
"""Bytes between two looks at the free disk space."""
HERE: Final = ".recordings-are-here"
"""A file by which the folder is told from an empty one, where something is to be mounted."""
_ARRIVING: Final = ".part"


@dataclass(frozen=True, slots=True)
class SpoolLimits:
    """What one recording may take, and what it has to leave."""

    max_file_bytes: int
    min_free_bytes: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that is there, whoever it belongs to."""

    name: str
    age_s: float


class Spool(Protocol):
    """Keeps files by name; there is none of a name before the whole of it is there."""

    async def receive(self, name: str, audio: AsyncIterator[bytes]) -> File:
        """Keep a recording as it arrives; nothing of it is left where that fails.

        Raises:
            LimitError: it is larger than it may be.
            NoRoomError: it would not leave the disk space that it has to.
            JobsUnavailableError: it cannot be kept; so do all methods.
            Whatever `audio` raises.
        """
        ...

    def open(self, name: str) -> BinaryIO:
        """Open a file to be read, outside the event loop.

        Raises:
            FileNotFoundError: there is none, and none will come back.
            JobsUnavailableError, OSError: it cannot be read now; so does reading it.
        """
        ...

    async def write(self, name: str, data: bytes) -> File:
        """Keep a result."""
        ...

    async def read(self, name: str) -> bytes:
        """Return a result."""
        ...

    async def remove(self, name: str) -> None:
        """Remove a file, if there is one."""
        ...

    async def entries(self) -> Sequence[Entry]:
        """Return all files, those that arrive included."""
        ...


class FolderSpool:
    """A `Spool` in a folder of this machine, or one that is mounted."""

    def __init__(self, folder: Path, limits: SpoolLimits) -> None:
        self._folder = folder
        self._limits = limits

    async def receive(self, name: str, audio: AsyncIterator[bytes]) -> File:
        """Keep a recording as it arrives; see `Spool`."""
        arriving = self._folder / f"{name}{_ARRIVING}"
        try:
            await asyncio.to_thread(self._prepare)
            try:
                file = await self._receive(arriving, audio)
                await asyncio.to_thread(self._keep, arriving, name)
            finally:
                await asyncio.to_thread(arriving.unlink, missing_ok=True)
        except ConnectionError:
            raise  # of whoever sends it
        except OSError as error:
            raise NoRoomError(f"the recording cannot be kept: {error.strerror}") from error
        return File(name, *file)

    def open(self, name: str) -> BinaryIO:
        """Open a file to be read; see `Spool`."""
        path = self._folder / name
        try:
            return path.open("rb")
        except FileNotFoundError:
            if not (self._folder / HERE).exists():
                message = f"{self._folder} is not there, or not the folder with the recordings"
                raise JobsUnavailableError(message) from None
            return path.open("rb")  # it may have been mounted between the two looks

    async def write(self, name: str, data: bytes) -> File:
        """Keep a result."""
        await asyncio.to_thread(self._write, name, data)
        return File(name, len(data), hashlib.sha256(data).hexdigest())

    async def read(self, name: str) -> bytes:
        """Return a result."""
        try:
            return await asyncio.to_thread((self._folder / name).read_bytes)
        except OSError as error:
            raise JobsUnavailableError(f"{name} cannot be read: {error.strerror}") from error

    async def remove(self, name: str) -> None:
        """Remove a file, if there is one."""
        try:
            await asyncio.to_thread((self._folder / name).unlink, missing_ok=True)
        except OSError as error:
            raise JobsUnavailableError(f"{name} cannot be removed: {error.strerror}") from error

    async def entries(self) -> Sequence[Entry]:
        """Return all files."""
        try:
            return await asyncio.to_thread(self._entries)
        except OSError as error:
            raise JobsUnavailableError(f"{self._folder}: {error.strerror}") from error

    async def _receive(self, path: Path, audio: AsyncIterator[bytes]) -> tuple[int, str]:
        digest, num_bytes, looked = hashlib.sha256(), 0, -LOOK_EVERY
        async with aiofiles.open(path, "wb") as file:
            async for piece in audio:
                if num_bytes - looked >= LOOK_EVERY:
                    await asyncio.to_thread(self._check_room)
                    looked = num_bytes
                num_bytes += len(piece)
                if num_bytes > self._limits.max_file_bytes:
                    limit = f"{self._limits.max_file_bytes} bytes"
                    raise LimitError("the recording is too large", limit, "jobs.max_upload_bytes")
                digest.update(piece)
                await file.write(piece)
            await file.flush()
            await asyncio.to_thread(os.fsync, file.fileno())
        return num_bytes, digest.hexdigest()

    def _prepare(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / HERE).touch()

    def _keep(self, arriving: Path, name: str) -> None:
        """Give a file that is whole its name for good, also where the power fails then."""
        try:
            durable.replace(arriving, self._folder / name)
        except OSError:
            (self._folder / name).unlink(missing_ok=True)
            raise

    def _check_room(self) -> None:
        free = shutil.disk_usage(self._folder).free
        if free < self._limits.min_free_bytes:
            raise NoRoomError(
                f"only {free >> 20} MiB of disk space are left (setting jobs.min_free_bytes)"
            )

    def _write(self, name: str, data: bytes) -> None:
        arriving = self._folder / f"{name}{_ARRIVING}"
        try:
            self._prepare()
            with arriving.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            self._keep(arriving, name)
        except OSError as error:
            arriving.unlink(missing_ok=True)
            raise JobsUnavailableError(f"no result can be kept: {error.strerror}") from error

    def _entries(self) -> list[Entry]:
        if not self._folder.exists():
            return []
        now = time.time()
        with os.scandir(self._folder) as files:
            return [
                Entry(file.name, now - file.stat().st_mtime)
                for file in files
                if file.is_file() and file.name != HERE
            ]
