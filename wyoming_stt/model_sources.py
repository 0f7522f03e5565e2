"""Where a model is loaded from: a folder, this package, or the store.

Sources are compared by what they load, so that the same choice made twice is known for the same,
and a model that is to be its own fallback, too.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from wyoming_stt.data_folder import ort_options
from wyoming_stt.decoding.options import SearchOptions
from wyoming_stt.errors import (
    ModelError,
    ModelFileError,
    NotInstalledError,
    StorageError,
    StoreBusyError,
)
from wyoming_stt.fitting import load_fitting
from wyoming_stt.loading import ModelSource
from wyoming_stt.models.base import Recognizer, RecognizerStream
from wyoming_stt.models.registry import load_model
from wyoming_stt.ort import OrtOptions
from wyoming_stt.settings import Settings
from wyoming_stt.store import Catalog, ModelFiles, ModelStore
from wyoming_stt.store.catalog import Remote
from wyoming_stt.store.manifest import InstalledFile

__all__ = ["in_folder", "in_package", "in_store", "name_of"]

_LOGGER = logging.getLogger(__name__)

ASIDE_S: Final = 0.5
"""Longest wait of a load to put a damaged version aside: another takes its place meanwhile."""


def in_folder(model: Path | str, languages: tuple[str, ...], settings: Settings) -> ModelSource:
    """Return the model in a folder, or one that needs none: its folder, or its name.

    It is only loaded where there seems to be memory for it.
    """
    load = _Folder(model, languages, ort_options(settings))
    return ModelSource(name_of(model), load)


def name_of(model: Path | str) -> str:
    """Return what a model is called by its folder."""
    name = Path(model).name
    return Path(model).resolve().name if name in {"", ".."} else name


def in_package(folder: Path, languages: tuple[str, ...], settings: Settings) -> ModelSource:
    """Return a model that ships inside.

    It is the last resort, so it is tried even where it does not seem to fit into the memory.
    """
    return ModelSource(folder.name, _Packaged(folder, languages, ort_options(settings)))


def in_store(
    model: str, files: ModelFiles | None, store: ModelStore, settings: Settings
) -> ModelSource:
    """Return a model of the store; what turns out damaged is put into quarantine.

    Args:
        model: its id.
        files: the version to load, as long as it is there; None or gone: the one in use by then.
        store: where it is, or will be.
        settings: how to run it.
    """
    load = _Stored(model, files, store, settings.model.languages, ort_options(settings))
    return ModelSource(model, load)


@dataclass(frozen=True, slots=True)
class _Folder:
    model: Path | str
    languages: tuple[str, ...]
    options: OrtOptions

    def __call__(self) -> Recognizer:
        return load_fitting(self.model, languages=self.languages, options=self.options)


@dataclass(frozen=True, slots=True)
class _Packaged:
    folder: Path
    languages: tuple[str, ...]
    options: OrtOptions

    def __call__(self) -> Recognizer:
        found = load_model(self.folder, languages=self.languages, options=self.options)
        spec = Catalog.read().get(self.folder.name)
        if spec is None:
            return found
        return _Identified(found, spec.version, _sha256_of_largest(spec.files))


@dataclass(frozen=True, slots=True)
class _Stored:
    model: str
    files: ModelFiles | None
    store: ModelStore
    languages: tuple[str, ...] | None
    options: OrtOptions

    def __call__(self) -> Recognizer:
        """Load; what is damaged is put aside, and the next version that is whole takes its place.

        Raises:
            ModelFileError: a file is missing or damaged, and there is no other version.
            StorageError: a file cannot be read now, and there is no other version.
            NotInstalledError: there is none any more, or not yet.
        """
        failure: ModelError | None = None
        for files in self._versions():
            if failure is not None:
                told = (files.version, files.id, failure)
                _LOGGER.warning("Version %s of %s is tried instead: %s", *told)
            try:
                return self._load_whole(files)
            except (_DamagedError, StorageError) as error:
                failure = error
        raise failure or NotInstalledError(_absence(self.model, self.store))

    def _versions(self) -> list[ModelFiles]:
        """The one that was chosen, as it is there by now, then the others."""
        usable = self.store.usable(self.model)
        home = self.files.home if self.files else None
        chosen = [files for files in self.store.versions(self.model) if files.home == home]
        return [*chosen, *(files for files in usable if files not in chosen)]

    def _load_whole(self, files: ModelFiles) -> Recognizer:
        damaged = self.store.verify(files, every_byte=False)
        if not damaged:
            try:
                return self._load(files)
            except ModelFileError:
                damaged = self.store.verify(files)
                if not damaged:
                    raise
        names = ", ".join(damaged)
        raise _DamagedError(
            files.folder / damaged[0],
            "what was installed",
            f"damage ({names}); {self._aside(files, names)}",
        )

    def _load(self, files: ModelFiles) -> Recognizer:
        languages: Sequence[str] = self.languages or files.manifest.languages
        found = load_fitting(files.folder, languages=languages, options=self.options)
        return _Identified(found, files.version, _sha256_of_largest(files.manifest.files))

    def _aside(self, files: ModelFiles, names: str) -> str:
        """Put a damaged version aside where that can be done at once; say what became of it."""
        try:
            kept = self.store.quarantine(files, f"damaged: {names}", lock_timeout_s=ASIDE_S)
        except (StorageError, StoreBusyError) as error:
            return f"left where it is: {error}"
        return f"moved to {kept}"


class _DamagedError(ModelFileError):
    """Other bytes than were installed."""


class _Identified:
    """A recogniser whose keeper knows more of it than its files tell: version and checksum."""

    def __init__(self, recognizer: Recognizer, version: str, sha256: str | None) -> None:
        self.info = replace(recognizer.info, version=version, sha256=sha256)
        self.tokens = recognizer.tokens
        self._recognizer = recognizer

    def open(self, options: SearchOptions) -> RecognizerStream:
        """Begin an utterance."""
        return self._recognizer.open(options)


def _absence(model: str, store: ModelStore) -> str:
    """Say why a model is not in the store, and how to get it there."""
    reasons = [aside.reason for aside in store.quarantined() if aside.id == model]
    is_published = store.catalog(lambda _: None).get(model) is not None
    why, how = "is not installed", f"wyoming-stt models add FOLDER --name {model}"
    if reasons:
        why = f"was put aside as {reasons[-1]}"
    if is_published and store.options.offline:
        how = f"turn store.offline off, or: {how}"
    elif is_published:
        how = f"wyoming-stt models pull {model}"
    return f"the model {model!r} {why}; to install it: {how}"


def _sha256_of_largest(files: Iterable[InstalledFile | Remote]) -> str | None:
    largest = max(files, key=lambda file: file.size or 0, default=None)
    return largest.sha256 if largest else None
