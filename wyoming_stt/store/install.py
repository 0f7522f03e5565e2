"""Bringing a version of a model into the store, all of it or nothing.

Everything is put together beside the models and gets its place by one rename; the pointer to the
version in use follows by another. A kill at any moment leaves the old state or the new one, and
downloads that go on where they were.
"""

import shutil
from contextlib import suppress
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
from wyoming_stt.store.progress import Phase, Report, Step
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
    recorded: bool = False
    """Whether its checksum was recorded just now, since nobody publishes one."""


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
        staging = self._empty_staging(spec.id)
        folder = staging / spec.id
        folder.mkdir()
        self._check_space(spec)
        downloads = [self._download(spec.id, remote) for remote in spec.downloads]
        for remote, download in zip(spec.downloads, downloads, strict=True):
            if spec.archive:
                self._unpack(spec.archive, download.path, folder)
            else:
                target = folder / remote.path
                target.parent.mkdir(parents=True, exist_ok=True)
                download.path.replace(target)
        files = self.place(
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
                files=manifest.describe(folder),
            ),
        )
        shutil.rmtree(self.layout.downloads(spec.id), ignore_errors=True)
        recorded = tuple(download.url for download in downloads if download.recorded)
        return Pulled(files, fetched=True, recorded=recorded)

    def copy(self, source: Path, facts: Manifest) -> ModelFiles:
        """Install the files of a folder; `facts` lists them as they were measured there.

        Raises:
            StorageError: no space, or a file changed meanwhile.
            OSError: the disk refused.
        """
        staging = self._empty_staging(facts.id)
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
        """Give what was put together its place, and point to it.

        Raises:
            OSError: the disk refused.
        """
        self.report(Step(Phase.INSTALLING, facts.id))
        sync_tree(staging)
        manifest.write(staging, facts)
        home = self.layout.home(facts.id, facts.version)
        home.parent.mkdir(parents=True, exist_ok=True)
        # Only what is not complete can be there: `read` knows nothing of it.
        shutil.rmtree(home, ignore_errors=True)
        replace(staging, home)
        self.use(facts.id, facts.version)
        return ModelFiles(home=home, manifest=facts)

    def use(self, model: str, version: str) -> None:
        """Point to a version, and remember the one in use until now."""
        pointer = self.layout.pointer(model)
        if pointer is None:
            self.layout.point(model, Pointer(version))
        elif pointer.version != version:
            before = [old for old in pointer.previous if old != version]
            held_back = tuple(held for held in pointer.held_back if held != version)
            self.layout.point(model, Pointer(version, (*before, pointer.version), held_back))

    def _download(self, model: str, remote: Remote) -> _Download:
        # Imported here: a server that downloads nothing does not pay for an HTTP library.
        from wyoming_stt.store.download import Downloader  # noqa: PLC0415

        records = RecordedChecksums(self.layout.checksums, self.layout.lock(".checksums"))
        published = remote.sha256 or records.get(remote.urls[0])
        key = sha256(f"{remote.urls[0]} {published or ''}".encode()).hexdigest()[:24]
        target = self.layout.downloads(model) / key
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            # Complete, from an earlier run; a name is no proof of what is in a file.
            if published is not None and hash_file(target) == published:
                return _Download(target, remote.urls[0])
            target.unlink()
        try:
            found = Downloader(self.options, self.report, self.stop).fetch(
                remote, target, published
            )
        except ChecksumError as error:
            if remote.sha256 is not None:
                raise
            raise ChecksumError(
                f"{error}\nNobody publishes a checksum for it; {published} is what came first. If "
                f"its publisher really replaced it, delete that line of {records.path}"
            ) from None
        if published is None:
            records.record(remote.urls[0], found)
        return _Download(target, remote.urls[0], recorded=published is None)

    def _unpack(self, archive: Archive, download: Path, folder: Path) -> None:
        unpacker = Unpacker(keep=archive.keep, report=self.report, stop=self.stop)
        unpacker.unpack(download, folder)
        entries = list(folder.iterdir())
        if not entries:
            raise ArchiveError(f"{archive.path} has none of: {', '.join(archive.keep)}")
        # Published archives hold one folder of their own name with everything in it.
        if len(entries) == 1 and entries[0].is_dir():
            top = folder.with_name(".top")
            entries[0].rename(top)
            folder.rmdir()
            top.rename(folder)

    def _empty_staging(self, model: str) -> Path:
        """Clear what a killed process may have left; the lock says that nobody is at it."""
        staging = self.layout.staging(model)
        with suppress(FileNotFoundError):
            shutil.rmtree(staging)
        staging.mkdir(parents=True)
        return staging

    def _check_space(self, spec: ModelSpec) -> None:
        size = spec.download_bytes or 0
        here = self.layout.downloads(spec.id)
        got = sum(path.stat().st_size for path in here.iterdir()) if here.is_dir() else 0
        self._expect_free(size - min(got, size) + (UNPACKED_RATIO * size if spec.archive else 0))

    def _expect_free(self, size: int) -> None:
        free = shutil.disk_usage(self.layout.models).free
        if free < size + RESERVE_BYTES:
            raise StorageError(
                f"{self.layout.models} has {free >> 20} MiB free, and "
                f"{(size + RESERVE_BYTES) >> 20} MiB are needed: free some (wyoming-stt models "
                "prune), or set data_dir to a larger disk"
            )
