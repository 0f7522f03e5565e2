"""The models on this machine: what is installed, and everything that changes it."""

import shutil
from collections.abc import Callable, Iterator
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
from wyoming_stt.store.pruning import leftovers, prune_model, size_of
from wyoming_stt.store.quarantine import Quarantine, Quarantined
from wyoming_stt.store.succession import in_order, settle

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
        return next(iter(self.usable(model)), None)

    def usable(self, model: str) -> list[ModelFiles]:
        """Return the version in use, then those that take its place where it cannot be."""
        return in_order(self.versions(model), self.layout.pointer(model))

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

        Raises:
            StorageError: a file cannot be read now, which does not mean that it is damaged.
        """
        with storage_errors(f"read {files.folder}"):
            return files.damaged(every_byte=every_byte)

    def quarantined(self) -> list[Quarantined]:
        """Return what was put aside."""
        return list(self._aside)

    # What changes it.

    def pull(
        self,
        spec: ModelSpec,
        report: Report = silent,
        stop: Event | None = None,
        *,
        use: bool = True,
    ) -> Pulled:
        """Install the version of an entry; download it if it is not there.

        Another process that pulls the same model is waited for, and its work shared.

        Args:
            spec: the entry.
            report: told of each step.
            stop: set to end it.
            use: whether it is the one in use from then on; otherwise `use` makes it that, unless
                there is no other.

        Raises:
            ModelError: it cannot be downloaded, verified, unpacked or written.
            ShuttingDownError: `stop` was set.
        """
        if spec.inside:
            raise DownloadError(f"the model {spec.id!r} ships inside: there is nothing to download")
        changing = self._changing(spec.id, report, stop)
        with changing as installer, storage_errors(f"install {spec.id}"):
            files = manifest.read(self.layout.home(spec.id, spec.version))
            if files is not None and files.damaged():
                self._aside.take(files, "found damaged when it was pulled again")
                files = None
            before = self.installed(spec.id)
            pulled = Pulled(files, fetched=False) if files else installer.fetch(spec)
            if use or before is None:
                installer.use(spec.id, spec.version)
            elif self.layout.pointer(spec.id) is None:
                installer.use(spec.id, before.version)  # or the newest would count
            shutil.rmtree(self.layout.downloads(spec.id), ignore_errors=True)
            return pulled

    def add(self, source: Path, facts: Manifest, report: Report = silent) -> ModelFiles:
        """Install a copy of a folder; `facts.files` need not be filled in.

        Raises:
            StorageError: no space, nothing in there, or it changed meanwhile.
        """
        with self._changing(facts.id, report) as installer, storage_errors(f"install {facts.id}"):
            measured = facts.model_copy(update={"files": manifest.describe(source)})
            copied = installer.copy(source, measured)
            installer.use(facts.id, facts.version)
            return copied

    def use(self, files: ModelFiles, lock_timeout_s: float | None = None) -> None:
        """Make an installed version the one in use, if it is still there."""
        changing = self._changing(files.id, silent, lock_timeout_s=lock_timeout_s)
        with changing as installer, storage_errors(f"use {files.id}"):
            if manifest.read(files.home) == files:
                installer.use(files.id, files.version)

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

    def rollback(self, model: str, report: Report = silent) -> ModelFiles:
        """Use the version again that was in use before; the one in use until now is held back.

        Raises:
            NotInstalledError: there is no other version.
        """
        with self._changing(model, report), storage_errors(f"roll {model} back"):
            current = self.find(model)
            pointer = self.layout.pointer(model) or Pointer(current.version)
            versions = {files.version: files for files in self.versions(model)}
            before = [v for v in pointer.previous if v in versions and v != current.version]
            if not before:
                raise NotInstalledError(f"{model}: no version before {current.version} is here")
            held_back = (*pointer.held_back, current.version)
            self.layout.point(model, Pointer(before[-1], tuple(before[:-1]), held_back))
            return versions[before[-1]]

    def quarantine(
        self,
        files: ModelFiles,
        reason: str,
        report: Report = silent,
        *,
        lock_timeout_s: float | None = None,
    ) -> Path:
        """Put a damaged version aside; the one before it is in use again, if there is one.

        Args:
            files: the version.
            reason: what is wrong with it.
            report: told of each step.
            lock_timeout_s: longest wait for another process; by default that of the options.

        Returns:
            Where it is now; its own place, if another process was faster.
        """
        changing = self._changing(files.id, report, lock_timeout_s=lock_timeout_s)
        with changing, storage_errors(f"put {files.id} aside"):
            # While this one waited, it may have been put aside, and a good one been installed.
            if manifest.read(files.home) != files:
                return files.home
            return self._aside.take(files, reason)

    def remove(
        self, model: str, version: str | None = None, report: Report = silent
    ) -> list[ModelFiles]:
        """Delete one version of a model, or all of it.

        Raises:
            NotInstalledError: it is not there.
        """
        with self._changing(model, report), storage_errors(f"remove {model}"):
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

    def prune(self, report: Report = silent) -> int:
        """Delete what no longer serves: old versions but one, parts of downloads, quarantine.

        Returns:
            Bytes freed.
        """
        before = size_of(self.layout.models)
        ids = leftovers(self.layout) | set(self.layout.ids())
        # What has no name of ours is not ours: a volume has a folder `lost+found`.
        for model in sorted(filter(is_name, ids)):
            with self._changing(model, report), storage_errors(f"tidy up {model}"):
                prune_model(self.layout, model, self.installed(model), self.versions(model))
        with storage_errors("empty the quarantine"):
            shutil.rmtree(self.layout.quarantine, ignore_errors=True)
        return before - size_of(self.layout.models)

    @property
    def _aside(self) -> Quarantine:
        return Quarantine(self.layout.quarantine)

    @contextmanager
    def _changing(
        self,
        model: str,
        report: Report,
        stop: Event | None = None,
        lock_timeout_s: float | None = None,
    ) -> Iterator[Installer]:
        if not is_name(model):
            raise NotInstalledError(f"{model!r} is no name of a model")
        stop = stop or Event()
        timeout_s = self.options.lock_timeout_s if lock_timeout_s is None else lock_timeout_s
        with hold(self.layout.lock(model), timeout_s, report, stop):
            with storage_errors(f"tidy up {model}"):
                settle(self.layout, model)
            yield Installer(self.layout, self.options, report, stop)
