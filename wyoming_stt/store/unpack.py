"""Unpack a `.tar.bz2` that may have been made to do harm.

Every byte is counted as it is decompressed, so that an archive can neither fill the disk nor the
memory; only regular files are written, only below the folder given, none twice, with our own
permissions. The archive is read once, front to back.
"""

import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from threading import Event
from typing import IO, Final, Self

from wyoming_stt.errors import ArchiveError, ShuttingDownError
from wyoming_stt.store.bunzip import Decompressed
from wyoming_stt.store.catalog import MAX_DOWNLOAD_BYTES
from wyoming_stt.store.progress import Phase, Report, Step, silent

__all__ = ["Limits", "Unpacker"]

CHUNK_BYTES: Final = 1 << 16
MAX_HEADER_BYTES: Final = 1 << 16
"""Long names and attributes; `tarfile` holds them in memory."""
_LONG_HEADERS: Final = {
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What an archive may hold."""

    ratio: int = 50
    """Unpacked bytes to packed ones. Weights shrink to 3/4; recordings of silence to far less."""
    least_bytes: int = 64 << 20
    """Unpacked bytes that are always allowed, whatever the ratio."""
    most_bytes: int = 2 * MAX_DOWNLOAD_BYTES
    members: int = 10_000
    """Published archives have 10 to 100."""
    depth: int = 8
    """Folders in one another."""
    name_bytes: int = 200
    """Of one name; file systems allow 255."""

    def unpacked_bytes(self, packed_bytes: int) -> int:
        """Return how much an archive of this size may grow to."""
        return min(max(self.least_bytes, self.ratio * packed_bytes), self.most_bytes)


def _anywhere(_size: int) -> None:
    """Find room for everything."""


@dataclass(frozen=True, slots=True)
class Unpacker:
    """Unpacks files whose names match one of `keep`, and nothing else."""

    keep: tuple[str, ...] = ("*",)
    limits: Limits = Limits()
    report: Report = silent
    stop: Event = field(default_factory=Event)
    """Set by another thread to end the operation."""
    room: Callable[[int], None] = _anywhere
    """Called with the size of each file before it is written; raises where that is too much."""

    def unpack(self, archive: Path, folder: Path, name: str = "") -> None:
        """Unpack into an empty folder; `name` is what errors call the archive.

        Raises:
            ArchiveError: it is damaged, exceeds a limit, or holds what may not be written.
            ShuttingDownError: `stop` was set.
            StorageError: `room` found none.
            OSError: the disk refused.
        """
        name = name or archive.name
        packed_bytes = archive.stat().st_size
        most_bytes = self.limits.unpacked_bytes(packed_bytes)
        with archive.open("rb") as file:
            try:
                source = Decompressed(file, most_bytes)
                with tarfile.open(fileobj=source, mode="r|", tarinfo=_Member) as members:
                    for number, member in enumerate(members):
                        if number >= self.limits.members:
                            raise ArchiveError(f"more than {self.limits.members} entries")
                        step = Step(Phase.UNPACKING, member.name, file.tell(), packed_bytes)
                        self.report(step)
                        self._write(members, member, folder)
                while source.read(CHUNK_BYTES):
                    pass  # the checksums of what comes after the last file count, too
            except ArchiveError as error:
                raise ArchiveError(f"{name} cannot be unpacked: {error}") from None
            except RecursionError:  # `tarfile` reads what comes before a header in a deeper call
                raise ArchiveError(f"{name} is damaged: headers without a file") from None
            except (tarfile.TarError, EOFError, ValueError) as error:
                raise ArchiveError(f"{name} is damaged: {error}") from error

    def _write(self, members: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
        path = _safe_path(member.name, self.limits)
        wanted = path is not None and any(fnmatchcase(path.name, name) for name in self.keep)
        if path is None or not wanted or member.isdir():
            return
        source = members.extractfile(member) if member.isreg() else None
        if source is None or member.issparse():
            raise ArchiveError(f"{member.name!r} is a link or a device, not a file")
        self.room(member.size)
        target = folder / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with source, target.open("xb") as file:
                _copy(source, file, member.size, self.stop)
        except (FileExistsError, NotADirectoryError):
            raise ArchiveError(f"{member.name!r} is in there twice") from None


def _copy(source: IO[bytes], target: IO[bytes], size: int, stop: Event) -> None:
    while chunk := source.read(min(CHUNK_BYTES, size)):
        if stop.is_set():
            raise ShuttingDownError("unpacking was stopped")
        target.write(chunk)
        size -= len(chunk)
    if size:
        raise ArchiveError("it ends in the middle of a file")


def _safe_path(name: str, limits: Limits) -> PurePosixPath | None:
    """Check a member's name; None is the archive's top folder.

    Raises:
        ArchiveError: it leads out of the folder, or no file system would take it.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or set(name) & set("\\:\0"):
        raise ArchiveError(f"{name!r} leads out of the model's folder")
    if len(path.parts) > limits.depth or any(
        len(part.encode(errors="surrogatepass")) > limits.name_bytes for part in path.parts
    ):
        raise ArchiveError(f"{name[:80]!r}... is too long a name")
    # What macOS adds to remember attributes of its own.
    return None if not path.parts or path.name.startswith("._") else path


class _Member(tarfile.TarInfo):
    """A header whose long form cannot fill the memory."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            member = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError:
            # `tarfile` would take these for the end.
            if any(buf):
                raise ArchiveError("a header is damaged") from None
            if not buf:
                raise ArchiveError("it ends before its end is marked") from None
            raise
        if member.type in _LONG_HEADERS and member.size > MAX_HEADER_BYTES:
            raise ArchiveError(f"a header of {member.size} bytes")
        return member
