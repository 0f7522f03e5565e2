"""Bringing a version of a model into the store, all of it or nothing.

Everything is put together beside the models and gets its place by one rename; the pointer to the
version in use follows by another. A kill at any moment leaves the old state or the new one, and
downloads that go on where they were.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from threading import Event
from typing import Final

from wyoming_stt.errors import ArchiveError, ChecksumError, StorageError
from wyoming_stt.store import manifest
from wyoming_stt.store.catalog import Archive, ModelSpec, Remote
from wyoming_stt.store.checksums import RecordedChecksums
from wyoming_stt.store.durable import hash_file, replace, sync_tree
from wyoming_stt.store.layout import Layout, Pointer
from wyoming_stt.store.manifest import Manifest, ModelFiles
from wyoming_stt.store.options import StoreOptions
from wyoming_stt.store.plausible import GRAPHS, implausible
from wyoming_stt.store.progress import Phase, Report, Step
from wyoming_stt.store.succession import settle, succeed
from wyoming_stt.store.unpack import Unpacker

__all__ = ["Installer", "Pulled"]

RESERVE_BYTES: Final = 64 << 20
"""Left free, so that a model never takes the last of a disk that others write to, too."""
UNPACKED_RATIO: Final = 2
"""Unpacked to packed bytes of an archive, and a reserve: weights shrink to some 3/4."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull came to."""

    files: ModelFiles
    fetched: bool
    """False: it was there already."""
    recorded: tuple[str, ...] = ()
    """Addresses whose checksums nobody publishes: what came was recorded, not verified."""


@dataclass(frozen=True, slots=True)
class _Download:
    path: Path
    url: str
    sha256: str
    known: bool
    """Whether that is what it had to be; otherwise it was taken on trust."""


@dataclass(frozen=True, slots=True)
class Installer:
    """Installs models; the caller holds the model's lock."""

    layout: Layout
    options: StoreOptions
    report: Report
    stop: Event

    def fetch(self, spec: ModelSpec) -> Pulled:
        """Download and install a version that is not there yet.

        Raises:
            ModelError: as `Downloader.fetch`, `Unpacker.unpack`; no space; nothing in an archive.
            OSError: the disk refused.
        """
        with self._staging(spec.id) as staging:
            folder = staging / spec.id
            folder.mkdir()
            self._check_space(spec)
            downloads = [self._download(spec.id, remote) for remote in spec.downloads]
            for remote, download in zip(spec.downloads, downloads, strict=True):
                if spec.archive:
                    self._unpack(spec.archive, download, folder)
                else:
                    target = folder / remote.path
                    target.parent.mkdir(parents=True, exist_ok=True)
                    download.path.replace(target)
            files = manifest.describe(folder)
            # Not before there is a model: what is recorded keeps everything else out. Nor after it
            # has its place: a kill in between would leave one that is held to nothing.
            recorded = {taken.url: taken.sha256 for taken in downloads if not taken.known}
            self._records.record(recorded)
            placed = self.place(
                staging,
                Manifest(
                    id=spec.id,
                    version=spec.version,
                    family=spec.family,
                    languages=spec.languages,
                    licence=spec.licence,
                    conditions=spec.conditions,
                    source=spec.downloads[0].urls[0],
                    installed_at=datetime.now(UTC).isoformat(timespec="seconds"),
                    files=files,
                ),
            )
        return Pulled(placed, fetched=True, recorded=tuple(recorded))

    def copy(self, source: Path, facts: Manifest) -> ModelFiles:
        """Install the files of a folder; `facts` lists them as they were measured there.

        Raises:
            StorageError: no space, or a file changed meanwhile.
            OSError: the disk refused.
        """
        with self._staging(facts.id) as staging:
            self._expect_free(facts.size)
            for file in facts.files:
                target = staging / facts.id / file.path
                target.parent.mkdir(parents=True, exist_ok=True)
                self.report(Step(Phase.INSTALLING, file.path, 0, file.size))
                shutil.copyfile(source / file.path, target)
            files = manifest.describe(staging / facts.id)
            if [file.sha256 for file in files] != [file.sha256 for file in facts.files]:
                raise StorageError(f"{source} changed while it was copied")
            return self.place(staging, facts.model_copy(update={"files": files}))

    def place(self, staging: Path, facts: Manifest) -> ModelFiles:
        """Give what was put together its place; the caller says whether it is in `use`.

        Raises:
            OSError: the disk refused.
        """
        self.report(Step(Phase.INSTALLING, facts.id))
        sync_tree(staging)
        manifest.write(staging, facts)
        succeed(self.layout, facts.id, facts.version, staging)
        settle(self.layout, facts.id)
        return ModelFiles(home=self.layout.home(facts.id, facts.version), manifest=facts)

    def use(self, model: str, version: str) -> None:
        """Point to a version, and remember the one in use until now."""
        pointer = self.layout.pointer(model)
        if pointer is None:
            self.layout.point(model, Pointer(version))
        elif pointer.version != version:
            before = [old for old in pointer.previous if old != version]
            held_back = tuple(held for held in pointer.held_back if held != version)
            self.layout.point(model, Pointer(version, (*before, pointer.version), held_back))

    @property
    def _records(self) -> RecordedChecksums:
        return RecordedChecksums(self.layout.checksums, self.layout.lock(".checksums"))

    def _published(self, remote: Remote) -> str | None:
        return remote.sha256 or self._records.get(remote.urls[0])

    def _target(self, model: str, remote: Remote) -> Path:
        key = f"{remote.urls[0]} {self._published(remote) or ''}"
        return self.layout.downloads(model) / sha256(key.encode()).hexdigest()[:24]

    def _download(self, model: str, remote: Remote) -> _Download:
        # Imported here: a server that downloads nothing does not pay for an HTTP library.
        from wyoming_stt.store.download import Downloader  # noqa: PLC0415

        published, target = self._published(remote), self._target(model, remote)
        target.parent.mkdir(parents=True, exist_ok=True)
        # Complete, from an earlier run: called by its checksum, which a name does not prove.
        for path in target.parent.glob(f"{target.name}.{published or '?' * 64}"):
            found = hash_file(path)
            if path.suffix == f".{found}":
                return _Download(path, remote.urls[0], found, known=published is not None)
            path.unlink()

        def room(size: int, missing: int) -> None:
            self._expect_free(missing + _unpacked_bytes(remote, size))

        downloader = Downloader(self.options, self.report, self.stop, room)
        try:
            found = downloader.fetch(remote, target, published)
        except ChecksumError as error:
            if remote.sha256 is not None:
                raise
            raise ChecksumError(
                f"{error}\nNobody publishes a checksum for it; {published} is what came first. If "
                f"its publisher really replaced it, delete that line of {self._records.path}"
            ) from None
        complete = target.with_suffix(f".{found}")
        replace(target, complete)
        return _Download(complete, remote.urls[0], found, known=published is not None)

    def _unpack(self, archive: Archive, download: _Download, folder: Path) -> None:
        unpacker = Unpacker(
            keep=archive.keep, report=self.report, stop=self.stop, room=self._expect_free
        )
        try:
            unpacker.unpack(download.path, folder, archive.path)
            _expect_model(archive, folder, known=download.known)
        except ArchiveError:
            if not download.known:
                download.path.unlink()  # what comes next time may be the right one
            raise
        entries = list(folder.iterdir())
        # Published archives hold one folder of their own name with everything in it.
        if len(entries) == 1 and entries[0].is_dir():
            top = folder.with_name(".top")
            entries[0].rename(top)
            folder.rmdir()
            top.rename(folder)

    @contextmanager
    def _staging(self, model: str) -> Iterator[Path]:
        """Give an empty folder to put a model together in; the lock says that nobody is at it."""
        staging = self.layout.staging(model)
        with suppress(FileNotFoundError):  # what a killed process may have left
            shutil.rmtree(staging)
        staging.mkdir(parents=True)
        try:
            yield staging
        finally:
            # What did not fit on the disk is not left there.
            shutil.rmtree(staging, ignore_errors=True)

    def _check_space(self, spec: ModelSpec) -> None:
        """Look as far as sizes are published; `Downloader.room` looks again when more is known."""
        needed = sum(
            self._missing_bytes(spec.id, remote) + _unpacked_bytes(remote, remote.size or 0)
            for remote in spec.downloads
        )
        self._expect_free(needed)

    def _missing_bytes(self, model: str, remote: Remote) -> int:
        target, size = self._target(model, remote), remote.size or 0
        here = sum(path.stat().st_size for path in target.parent.glob(f"{target.name}*"))
        return size - min(here, size)

    def _expect_free(self, size: int) -> None:
        free = shutil.disk_usage(self.layout.models).free
        if free < size + RESERVE_BYTES:
            raise StorageError(
                f"{self.layout.models} has {free >> 20} MiB free, and "
                f"{(size + RESERVE_BYTES) >> 20} MiB are needed: free some (wyoming-stt models "
                "prune), or set data_dir to a larger disk"
            )


def _unpacked_bytes(remote: Remote, size: int) -> int:
    return UNPACKED_RATIO * size if isinstance(remote, Archive) else 0


def _expect_model(archive: Archive, folder: Path, *, known: bool) -> None:
    """Look at what was unpacked, the more closely the less is known about it.

    Raises:
        ArchiveError: there is nothing of use.
    """
    graphs = sorted(folder.rglob(f"*{GRAPHS}"))
    if not (graphs or (known and any(folder.iterdir()))):
        raise ArchiveError(f"{archive.path} has none of: {', '.join(archive.keep)}")
    for path in () if known else graphs:
        if fault := implausible(path, path.name):
            raise ArchiveError(f"{path.name} in {archive.path} is not used: {fault}")
