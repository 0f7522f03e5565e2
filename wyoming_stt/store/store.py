"""The models on this machine: what is installed, and everything that changes it."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from wyoming_stt.errors import CatalogError, DownloadError, NotInstalledError
from wyoming_stt.store import manifest
from wyoming_stt.store.catalog import Catalog, ModelSpec, is_name, read_entries
from wyoming_stt.store.durable import storage_errors, write_atomically
from wyoming_stt.store.install import Installer, Pulled
from wyoming_stt.store.layout import Layout, Pointer
from wyoming_stt.store.lock import hold
from wyoming_stt.store.manifest import Manifest, ModelFiles
from wyoming_stt.store.options import StoreOptions
from wyoming_stt.store.progress import Report, silent
from wyoming_stt.store.quarantine import Quarantine, Quarantined
from wyoming_stt.store.succession import settle

__all__ = ["ModelStore"]


@dataclass(frozen=True)
class ModelStore:
    """The store under one data folder; several processes may use it at once.

    Reading needs neither a lock nor a writable disk. All that changes something may raise
    `StorageError` and `StoreBusyError`.
    """

    data_dir: Path
    options: StoreOptions = field(default_factory=StoreOptions)

    @property
    def layout(self) -> Layout:
        """Where things lie."""
        return Layout(self.data_dir)

    def catalog(self, skipped: Callable[[CatalogError], None] | None = None) -> Catalog:
        """Read our entries and the user's.

        Args:
            skipped: told of each file of the user's that makes no sense, which is left out; by
                default that raises.

        Raises:
            CatalogError: a file of the user's makes no sense.
        """
        return Catalog.read(sorted(self.layout.user_catalogs.glob("*.toml")), skipped)

    # What is installed.

    def installed(self, model: str) -> ModelFiles | None:
        """Return the version of a model that is in use: id, or None where there is none."""
        versions = {files.version: files for files in self.versions(model)}
        pointer = self.layout.pointer(model)
        wanted = [pointer.version, *reversed(pointer.previous)] if pointer else []
        # A pointer may be older than the folders: killed in between, or files removed by hand.
        newest = sorted(versions.values(), key=lambda files: files.manifest.installed_at)
        known = [versions[name] for name in wanted if name in versions]
        return next(iter([*known, *reversed(newest)]), None)

    def versions(self, model: str) -> list[ModelFiles]:
        """Return all complete versions of a model."""
        if not is_name(model):
            return []
        # A version that is being replaced serves until its successor is in its place.
        homes = (*self.layout.homes(model), *self.layout.replaced_homes(model))
        found = [manifest.read(home) for home in homes]
        by_version = {files.version: files for files in reversed(found) if files is not None}
        return [by_version[version] for version in sorted(by_version)]

    def all_installed(self) -> list[ModelFiles]:
        """Return the version in use of every model that has one."""
        found = (self.installed(model) for model in self.layout.ids())
        return [files for files in found if files is not None]

    def find(self, model: str) -> ModelFiles:
        """Return the version of a model that is in use.

        Raises:
            NotInstalledError: there is none.
        """
        files = self.installed(model)
        if files is None:
            raise NotInstalledError(f"the model {model!r} is not installed in {self.data_dir}")
        return files

    def held_back(self, model: str) -> tuple[str, ...]:
        """Return the versions that somebody went back from; only `pull` uses one of them again."""
        pointer = self.layout.pointer(model) if is_name(model) else None
        return pointer.held_back if pointer else ()

    def knows(self, model: str) -> bool:
        """Tell whether a model is or was here: installed, put aside, or what is left of it."""
        if not is_name(model):
            return False
        is_aside = any(aside.id == model for aside in self.quarantined())
        return is_aside or self.layout.pointer(model) is not None or bool(self.versions(model))

    def verify(self, files: ModelFiles, *, every_byte: bool = True) -> list[str]:
        """Return the names of damaged files; put them out of use with `quarantine`.

        Args:
            files: what to look at.
            every_byte: read everything; otherwise only what has another size or time than when it
                was installed, which takes no time where nothing has.
        """
        return self._damage(files, every_byte=every_byte)

    def quarantined(self) -> list[Quarantined]:
        """Return what was put aside."""
        return list(Quarantine(self.layout.quarantine))

    # What changes it.

    def pull(self, spec: ModelSpec, report: Report = silent, stop: Event | None = None) -> Pulled:
        """Make the version of an entry the one in use; download it if it is not there.

        Another process that pulls the same model is waited for, and its work shared.

        Raises:
            ModelError: it cannot be downloaded, verified, unpacked or written.
            ShuttingDownError: `stop` was set.
        """
        if spec.inside:
            raise DownloadError(f"the model {spec.id!r} ships inside: there is nothing to download")
        installer = self._installer(report, stop)
        with self._changing(spec.id, installer), storage_errors(f"install {spec.id}"):
            files = manifest.read(self.layout.home(spec.id, spec.version))
            if files is not None and self._damage(files):
                self._take(files, "found damaged when it was pulled again")
                files = None
            if files is None:
                pulled = installer.fetch(spec)
            else:
                installer.use(spec.id, spec.version)
                pulled = Pulled(files, fetched=False)
            shutil.rmtree(self.layout.downloads(spec.id), ignore_errors=True)
            return pulled

    def add(self, source: Path, facts: Manifest, report: Report = silent) -> ModelFiles:
        """Install a copy of a folder; `facts.files` need not be filled in.

        Raises:
            StorageError: no space, nothing in there, or it changed meanwhile.
        """
        installer = self._installer(report, None)
        with self._changing(facts.id, installer), storage_errors(f"install {facts.id}"):
            measured = facts.model_copy(update={"files": manifest.describe(source)})
            return installer.copy(source, measured)

    def add_entries(self, file: Path, name: str) -> list[ModelSpec]:
        """Take a catalogue file over into the user's; one of that name is replaced.

        Raises:
            CatalogError: it makes no sense.
            StorageError: it cannot be written.
        """
        entries = read_entries(file)
        if not name or name != Path(name).name or name.startswith("."):
            raise CatalogError(f"{name!r} is no name for a file")
        with storage_errors(f"add {file}"):
            self.layout.user_catalogs.mkdir(parents=True, exist_ok=True)
            write_atomically(
                self.layout.user_catalogs / f"{name}.toml", file.read_text(encoding="utf-8")
            )
        return entries

    def rollback(self, model: str) -> ModelFiles:
        """Use the version again that was in use before; the one in use until now is held back.

        Raises:
            NotInstalledError: there is no other version.
        """
        with self._changing(model), storage_errors(f"roll {model} back"):
            current = self.find(model)
            pointer = self.layout.pointer(model) or Pointer(current.version)
            versions = {files.version: files for files in self.versions(model)}
            before = [v for v in pointer.previous if v in versions and v != current.version]
            if not before:
                raise NotInstalledError(f"{model}: no version before {current.version} is here")
            held_back = (*pointer.held_back, current.version)
            self.layout.point(model, Pointer(before[-1], tuple(before[:-1]), held_back))
            return versions[before[-1]]

    def quarantine(self, files: ModelFiles, reason: str) -> Path:
        """Put a damaged version aside; the one before it is in use again, if there is one.

        Returns:
            Where it is now; its own place, if another process was faster.
        """
        with self._changing(files.id), storage_errors(f"put {files.id} aside"):
            # While this one waited, it may have been put aside, and a good one been installed.
            if manifest.read(files.home) != files:
                return files.home
            return self._take(files, reason)

    def remove(self, model: str, version: str | None = None) -> list[ModelFiles]:
        """Delete one version of a model, or all of it.

        Raises:
            NotInstalledError: it is not there.
        """
        with self._changing(model), storage_errors(f"remove {model}"):
            gone = [files for files in self.versions(model) if version in {None, files.version}]
            if not gone:
                name = f"{model} {version}" if version else model
                raise NotInstalledError(f"{name} is not installed in {self.data_dir}")
            if len(gone) == len(self.versions(model)):
                # First, since it alone makes a model known of which there is nothing.
                self.layout.forget(model)
            for files in gone:
                manifest.delete(files.home)
            if not self.versions(model):
                shutil.rmtree(self.layout.models / model)
                shutil.rmtree(self.layout.downloads(model), ignore_errors=True)
            return gone

    def prune(self) -> int:
        """Delete what no longer serves: old versions but one, parts of downloads, quarantine.

        Returns:
            Bytes freed.
        """
        before = _size(self.layout.models)
        ids = {path.name for path in self._leftovers()} | set(self.layout.ids())
        # What has no name of ours is not ours: a volume has a folder `lost+found`.
        for model in sorted(filter(is_name, ids)):
            with self._changing(model), storage_errors(f"tidy up {model}"):
                self._prune(model)
        with storage_errors("empty the quarantine"):
            shutil.rmtree(self.layout.quarantine, ignore_errors=True)
        return before - _size(self.layout.models)

    def _damage(self, files: ModelFiles, *, every_byte: bool = False) -> list[str]:
        suspects = files.manifest.files if every_byte else files.changed()
        return [file.path for file in suspects if files.is_damaged(file)]

    def _take(self, files: ModelFiles, reason: str) -> Path:
        return Quarantine(self.layout.quarantine).take(files, reason)

    def _prune(self, model: str) -> None:
        current, pointer = self.installed(model), self.layout.pointer(model)
        here = {files.version for files in self.versions(model)}
        kept = {current.version} if current else set[str]()
        # Not merely the last: that one may be gone, removed or put aside.
        before = [old for old in pointer.previous if old in here - kept] if pointer else []
        kept |= set(before[-1:])
        for home in self.layout.homes(model):
            if home.name not in kept or manifest.read(home) is None:
                manifest.delete(home)
        for folder in (self.layout.downloads(model), self.layout.staging(model)):
            shutil.rmtree(folder, ignore_errors=True)
        if pointer is None and not self.versions(model):
            shutil.rmtree(self.layout.models / model, ignore_errors=True)

    def _leftovers(self) -> Iterable[Path]:
        for name in (".downloads", ".staging"):
            yield from (self.layout.models / name).glob("*")

    def _installer(self, report: Report, stop: Event | None) -> Installer:
        return Installer(self.layout, self.options, report, stop or Event())

    @contextmanager
    def _changing(self, model: str, installer: Installer | None = None) -> Iterator[None]:
        if not is_name(model):
            raise NotInstalledError(f"{model!r} is no name of a model")
        installer = installer or self._installer(silent, None)
        lock = self.layout.lock(model)
        with hold(lock, self.options.lock_timeout_s, installer.report, installer.stop):
            with storage_errors(f"tidy up {model}"):
                settle(self.layout, model)
            yield


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
