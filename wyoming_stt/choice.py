"""Which model is to serve: what the settings name, or what suits the machine."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wyoming_stt.engine import ModelSource
from wyoming_stt.errors import ModelFileError, SettingsError
from wyoming_stt.hardware import detect
from wyoming_stt.model_sources import in_folder, in_package, in_store
from wyoming_stt.models.registry import FAKE
from wyoming_stt.ort import providers
from wyoming_stt.selection import recommend
from wyoming_stt.settings import Settings
from wyoming_stt.store import Catalog, ModelFiles, ModelSpec, ModelStore

__all__ = ["BUILTIN", "Choice", "choose"]

_LOGGER = logging.getLogger(__name__)

BUILTIN: Final = Path(__file__).parent / "builtin"
"""Models that come with the package, a folder each."""
DEFAULT_MODEL: Final = "home-en"
DEFAULT_LANGUAGES: Final = ("en",)
"""Of a model that says nothing, and of which the settings say nothing."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A model to serve, one to fall back on, and perhaps a better one to fetch."""

    chosen: ModelSource
    languages: tuple[str, ...]
    """Of the chosen model."""
    reason: str
    """One sentence."""
    fallback: ModelSource | None = None
    """What ships inside, if anything does, also where it is chosen: another may take its place."""
    wanted: ModelSpec | None = None
    """What to fetch and serve instead, as soon as it can be."""


def choose(settings: Settings, store: ModelStore, builtin: Path = BUILTIN) -> Choice:
    """Choose a model; what can come or come back is chosen although it is not there.

    Raises:
        SettingsError: no model is chosen, or one that nobody ever knew, or one that is not there,
            and none ships inside.
        ModelFileError: the folder does not exist, and no model ships inside.
    """
    name, folder = settings.model.name, settings.model.dir
    if folder is not None and name is not None:
        raise SettingsError("model.name and model.dir are both set: choose one of them")
    packaged = {path.name: path for path in sorted(builtin.glob("*/"))}
    default = packaged.get(DEFAULT_MODEL)
    inside = _packaged(default, settings) if default is not None else None
    chooser = _Chooser(settings, store, inside)
    if folder is not None:
        return chooser.own(folder.expanduser())
    if name == FAKE:
        return chooser.plain(FAKE, "model.name says so")
    if name in packaged:
        reason = "it ships inside and model.name says so"
        return Choice(_packaged(packaged[name], settings), DEFAULT_LANGUAGES, reason, inside)
    if name is not None:
        return chooser.named(name, [FAKE, *packaged])
    return chooser.automatic()


def _packaged(folder: Path, settings: Settings) -> ModelSource:
    """What ships inside speaks its own language, whatever is said of other models."""
    return in_package(folder, DEFAULT_LANGUAGES, settings)


@dataclass(frozen=True, slots=True)
class _Chooser:
    settings: Settings
    store: ModelStore
    inside: ModelSource | None
    """To fall back on."""

    def own(self, folder: Path) -> Choice:
        """One's own folder. Where it is missing, the fallback serves until it is there."""
        reason = "model.dir names its folder"
        if not folder.is_dir():
            if self.inside is None:
                raise ModelFileError(folder, "a folder with a model", "nothing")
            reason += f", which is not there: {self.inside.name} serves until it is"
        return self.plain(folder, reason)

    def plain(self, model: Path | str, reason: str) -> Choice:
        languages = self.settings.model.languages or DEFAULT_LANGUAGES
        source = in_folder(model, languages, self.settings)
        return Choice(source, languages, reason, self.inside)

    def named(self, name: str, others: list[str]) -> Choice:
        """A model of the store or the catalogue, by its id or its publisher's name for it."""
        spec = _usable_catalog(self.store).get(name)
        model = spec.id if spec else name
        files = self.store.installed(model)
        if files is not None:
            return self._installed(files, "model.name says so", spec)
        if spec is not None and spec.inside:
            spec = None  # inside another package than this one
        if spec is None and not self.store.knows(model):
            raise SettingsError(
                f"no model {name!r}: neither in this package ({', '.join(others)}) nor in the "
                "catalogue; see wyoming-stt models list"
            )
        if self.inside is None:
            how = f"pull {model}" if spec else f"add FOLDER --name {model}"
            raise SettingsError(f"the model {name!r} is not installed: wyoming-stt models {how}")
        is_fetched = spec and self.settings.upgrade.enabled and not self.settings.store.offline
        until = "downloaded" if is_fetched else "installed"
        return Choice(
            in_store(model, None, self.store, self.settings),
            self.settings.model.languages or (spec.languages if spec else DEFAULT_LANGUAGES),
            f"model.name says so; {self.inside.name} serves until it is {until}",
            self.inside,
            spec,
        )

    def automatic(self) -> Choice:
        """What suits the machine, or else what ships inside."""
        if self.inside is None:
            raise SettingsError(
                "no model is chosen, and this package comes without one: name the folder of a "
                "streaming or offline transducer (ONNX files and tokens.txt) with --model-dir "
                f"DIR, or try the server with --model {FAKE}, which hears the same words in "
                "everything; in the Home Assistant app the folder is its option custom_model"
            )
        language = (self.settings.model.languages or DEFAULT_LANGUAGES)[0]
        provider = self.settings.ort.provider
        catalog = _usable_catalog(self.store)
        found = recommend(detect(), providers(), catalog, language, provider)
        files = self.store.installed(found.model.id) if found.model else None
        if files is not None:
            return self._installed(files, found.reason, found.model)
        return Choice(self.inside, DEFAULT_LANGUAGES, found.reason, self.inside, found.model)

    def _installed(self, files: ModelFiles, reason: str, spec: ModelSpec | None) -> Choice:
        known = (files.version, *self.store.held_back(files.id))
        return Choice(
            in_store(files.id, files, self.store, self.settings),
            self.settings.model.languages or files.manifest.languages,
            reason,
            self.inside,
            spec if spec is not None and spec.version not in known else None,
        )


def _usable_catalog(store: ModelStore) -> Catalog:
    """Read the catalogue; a mistake in a file of the user's is told, and no reason not to serve."""
    return store.catalog(
        lambda error: _LOGGER.warning("A file of your catalogue is left out: %s", error)
    )
