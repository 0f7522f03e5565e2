"""Which model is to serve: what the settings name, or what suits the machine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from wyoming_stt.data_folder import ort_options
from wyoming_stt.engine import ModelSource
from wyoming_stt.errors import ModelFileError, NotInstalledError, SettingsError
from wyoming_stt.fitting import load_fitting
from wyoming_stt.hardware import detect
from wyoming_stt.models.base import Recognizer
from wyoming_stt.models.registry import FAKE, load_model
from wyoming_stt.ort import OrtOptions, providers
from wyoming_stt.selection import recommend
from wyoming_stt.settings import Settings
from wyoming_stt.store import ModelFiles, ModelSpec, ModelStore

__all__ = ["BUILTIN", "Choice", "choose", "source_of"]

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
    wanted: ModelSpec | None = None
    """What to fetch and serve instead, as soon as it can be."""


def choose(settings: Settings, store: ModelStore, builtin: Path = BUILTIN) -> Choice:
    """Choose a model.

    Raises:
        SettingsError: no model is chosen, or one that nobody knows, and none ships inside.
        ModelFileError: the folder does not exist, and no model ships inside.
        CatalogError: a catalogue of the user's makes no sense.
    """
    name, folder = settings.model.name, settings.model.dir
    if folder is not None and name is not None:
        raise SettingsError("model.name and model.dir are both set: choose one of them")
    packaged = {path.name: path for path in sorted(builtin.glob("*/"))}
    if folder is not None:
        return _own(folder.expanduser(), settings, packaged)
    if name == FAKE:
        return _plain(FAKE, settings, "model.name says so")
    if name in packaged:
        return _plain(packaged[name], settings, "it ships inside and model.name says so")
    if name is not None:
        return _named(name, settings, store, packaged)
    return _automatic(settings, store, packaged)


def source_of(files: ModelFiles, store: ModelStore, settings: Settings) -> ModelSource:
    """Return an installed model; one that turns out damaged is put into quarantine."""
    languages = settings.model.languages or files.manifest.languages
    options = ort_options(settings)
    load = partial(_load_installed, files, store, languages, options)
    largest = max(files.manifest.files, key=lambda file: file.size, default=None)
    return ModelSource(files.id, load, files.version, largest.sha256 if largest else None)


def _own(folder: Path, settings: Settings, packaged: dict[str, Path]) -> Choice:
    """One's own folder. Where it is missing, the fallback serves until it is there."""
    fallback = _fallback(settings, packaged)
    if fallback is None and not folder.is_dir():
        raise ModelFileError(folder, "a folder with a model", "nothing")
    choice = _plain(folder, settings, "model.dir names its folder")
    return Choice(choice.chosen, choice.languages, choice.reason, fallback)


def _inside(folder: Path, settings: Settings, reason: str) -> Choice:
    """What ships inside speaks its own language, whatever is said of other models.

    It is the last resort, so it is tried even where it does not seem to fit into the memory.
    """
    load = partial(load_model, folder, languages=DEFAULT_LANGUAGES, options=ort_options(settings))
    return Choice(ModelSource(folder.name, load), DEFAULT_LANGUAGES, reason)


def _plain(model: Path | str, settings: Settings, reason: str) -> Choice:
    languages = settings.model.languages or DEFAULT_LANGUAGES
    load = partial(load_fitting, model, languages=languages, options=ort_options(settings))
    return Choice(ModelSource(Path(model).name, load), languages, reason)


def _named(name: str, settings: Settings, store: ModelStore, packaged: dict[str, Path]) -> Choice:
    """A model of the store or the catalogue, by its id or its publisher's name for it."""
    spec = store.catalog().get(name)
    files = store.installed(spec.id if spec else name)
    fallback = _fallback(settings, packaged)
    if files is not None:
        return Choice(
            source_of(files, store, settings),
            settings.model.languages or files.manifest.languages,
            "model.name says so",
            fallback,
            _newer(spec, files),
        )
    if spec is None or spec.inside:
        known = ", ".join([FAKE, *packaged])
        raise SettingsError(
            f"no model {name!r}: neither in this package ({known}) nor in the catalogue; "
            "see wyoming-stt models list"
        )
    if fallback is None or settings.store.offline:
        raise SettingsError(
            f"the model {name!r} is not installed: wyoming-stt models pull {spec.id}"
        )
    return Choice(
        ModelSource(spec.id, _absent(spec)),
        settings.model.languages or spec.languages,
        f"model.name says so; {fallback.name} serves until it is downloaded",
        fallback,
        spec,
    )


def _automatic(settings: Settings, store: ModelStore, packaged: dict[str, Path]) -> Choice:
    """What suits the machine, or else what ships inside."""
    if DEFAULT_MODEL not in packaged:
        raise SettingsError(
            "no model is chosen, and this package comes without one: name the folder of a "
            "streaming or offline transducer (ONNX files and tokens.txt) with --model-dir DIR, or "
            f"try the server with --model {FAKE}, which hears the same words in everything; in the "
            "Home Assistant app the folder is its option custom_model"
        )
    language = (settings.model.languages or DEFAULT_LANGUAGES)[0]
    found = recommend(detect(), providers(), store.catalog(), language)
    files = store.installed(found.model.id) if found.model else None
    inside = _inside(packaged[DEFAULT_MODEL], settings, found.reason)
    if files is not None:
        return Choice(
            source_of(files, store, settings),
            settings.model.languages or files.manifest.languages,
            found.reason,
            inside.chosen,
            _newer(found.model, files),
        )
    return Choice(inside.chosen, DEFAULT_LANGUAGES, found.reason, wanted=found.model)


def _newer(spec: ModelSpec | None, files: ModelFiles) -> ModelSpec | None:
    return spec if spec is not None and spec.version != files.version else None


def _fallback(settings: Settings, packaged: dict[str, Path]) -> ModelSource | None:
    folder = packaged.get(DEFAULT_MODEL)
    return _inside(folder, settings, "").chosen if folder is not None else None


def _absent(spec: ModelSpec) -> Callable[[], Recognizer]:
    def load() -> Recognizer:
        raise NotInstalledError(f"the model {spec.id!r} is not downloaded yet")

    return load


def _load_installed(
    files: ModelFiles, store: ModelStore, languages: Sequence[str], options: OrtOptions
) -> Recognizer:
    """Load; what cannot be loaded because it was damaged is put aside, and named.

    Raises:
        ModelFileError: a file is missing or damaged.
        NotInstalledError: it was put aside, or removed.
    """
    if not files.home.is_dir():
        raise NotInstalledError(_gone(files, store))
    damaged = store.verify(files, every_byte=False)
    if not damaged:
        try:
            return load_fitting(files.folder, languages=languages, options=options)
        except ModelFileError:
            damaged = store.verify(files)
            if not damaged:
                raise
    names = ", ".join(damaged)
    kept = store.quarantine(files, f"damaged: {names}")
    raise ModelFileError(
        files.folder / damaged[0], "what was installed", f"damage ({names}); moved to {kept}"
    )


def _gone(files: ModelFiles, store: ModelStore) -> str:
    version = (files.id, files.version)
    reasons = [
        aside.reason for aside in store.quarantined() if (aside.id, aside.version) == version
    ]
    why = f"put aside as {reasons[-1]}" if reasons else "removed"
    return f"the model {files.id!r} was {why}; install it again: wyoming-stt models pull {files.id}"
