"""The options of the Home Assistant app, as settings.

The Supervisor checks them against config.yaml before it writes them down, but a file may be older
than the app, half written, or edited by hand. No option may keep a house from being heard: one that
does not fit is named and left out.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wyoming_stt.audio.endpoint import EndpointOptions
from wyoming_stt.decoding.options import Hotword
from wyoming_stt.errors import SettingsError
from wyoming_stt.hotwords import parse_hotwords
from wyoming_stt.profile import Profile
from wyoming_stt.sources import MAX_FILE_BYTES, Tree, merge, tree_of
from wyoming_stt.store import Catalog, ModelStore

__all__ = ["APP_DEFAULTS", "MODEL_ROOTS", "AppOptions", "AppSettings", "read_app"]

DATA_DIR: Final = Path("/data")
APP_DEFAULTS: Final[Tree] = {
    # Only Home Assistant reaches a container's port, unless its owner opens it.
    "wyoming": {"uri": "tcp://0.0.0.0:10300"},
    # Nobody outside of the container would reach it, and it takes memory.
    "http": {"enabled": False},
    # The Supervisor tells Home Assistant where we are; announcing it once more by multicast DNS
    # would show a second card for the same server.
    "announce": {"enabled": False},
    "log": {"style": "short", "hints": False},
    # The only place that outlives an update of the app. What can be fetched or made again lies
    # below `models`, which backups leave out.
    "data_dir": DATA_DIR,
    "ort": {"cache_dir": DATA_DIR / "models" / ".graphs"},
}
"""What being the app changes about the defaults."""

MODEL_ROOTS: Final = (Path("/share"), DATA_DIR / "models")
"""Where a model of one's own may lie: where people can put files, and where the app does."""

LANGUAGE: Final = r"^(auto|[a-z]{2,3})$"
MAX_HOTWORD_CHARS: Final = 100


class AppOptions(BaseModel):
    """The options, as config.yaml declares them; `auto` leaves the choice to us."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = "auto"
    language: Annotated[str, Field(pattern=LANGUAGE)] = "auto"
    custom_model: str | None = None
    hotwords: tuple[Annotated[str, Field(min_length=1, max_length=MAX_HOTWORD_CHARS)], ...] = ()
    endpointing: Literal["auto", "home_assistant", "app"] = "auto"
    vad_sensitivity: Literal["auto", "default", "relaxed", "aggressive"] = "auto"
    profile: Profile = "auto"
    threads: Literal["auto", "1", "2", "3", "4", "6", "8"] = "auto"
    offline: bool = False
    debug_logging: bool = False


@dataclass(frozen=True, slots=True)
class AppSettings:
    """What the options come to."""

    settings: Tree
    complaints: tuple[str, ...] = ()
    """A sentence for each thing that was left out, for the log."""


def read_app(
    file: Path, roots: tuple[Path, ...] = MODEL_ROOTS, data_dir: Path = DATA_DIR
) -> AppSettings:
    """Read the options; whatever is wrong with them becomes a complaint, never an error.

    Args:
        file: where they are.
        roots: where a model of one's own may lie.
        data_dir: of the store, which may have one, too.
    """
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            return _ignored(file, f"larger than {MAX_FILE_BYTES} bytes")
        written = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        return _ignored(file, error.strerror or type(error).__name__)
    except (ValueError, RecursionError) as error:
        return _ignored(file, f"not JSON: {error}")
    if not isinstance(written, dict):
        return _ignored(file, "it must hold names and values")
    options, complaints = _check(written)
    model, more = _model(options, roots, ModelStore(data_dir))
    hotwords, still_more = _usable_hotwords(options.hotwords)
    tree = merge(merge(_plain(options), model), hotwords)
    return AppSettings(tree, (*complaints, *more, *still_more))


def _ignored(file: Path, reason: str) -> AppSettings:
    return AppSettings({}, (f"The options in {file} are ignored, defaults are used: {reason}",))


def _check(written: Tree) -> tuple[AppOptions, list[str]]:
    """Keep the options that fit, each by itself."""
    fitting: Tree = {}
    complaints = []
    for name, value in written.items():
        try:
            AppOptions.model_validate({name: value})
        except ValidationError as error:
            reason = error.errors()[0]
            why = "there is no such option"
            if reason["type"] != "extra_forbidden":
                why = f"{reason['msg']}; found {str(reason['input'])[:60]!r}"
            complaints.append(f"Option {str(name)[:60]} is ignored: {why}")
        else:
            fitting[name] = value
    return AppOptions.model_validate(fitting), complaints


def _plain(options: AppOptions) -> Tree:
    """Translate the options that mean the same everywhere."""
    values: dict[str, object] = {}
    if options.endpointing != "auto":
        values["wyoming.endpointing"] = options.endpointing == "app"
    if options.vad_sensitivity != "auto":
        values["endpoint.rules"] = EndpointOptions.from_sensitivity(options.vad_sensitivity).rules
    if options.profile != "auto":
        values["profile"] = options.profile
    if options.threads != "auto":
        values["engine.workers"] = int(options.threads)
    if options.offline:
        values["store.offline"] = True
    if options.debug_logging:
        values["log.level"] = "debug"
    return tree_of(values)


def _model(
    options: AppOptions, roots: tuple[Path, ...], store: ModelStore
) -> tuple[Tree, list[str]]:
    """Choose one's own model, else one by its name, else whatever suits the machine and language.

    The language is that of a model of one's own, or the one to choose a model by; the catalogue
    knows those of the others.
    """
    complaints = []
    languages: Tree = {} if options.language == "auto" else {"languages": (options.language,)}
    if options.custom_model:
        tried = [root / options.custom_model for root in roots]
        folder = next((path for path in tried if _is_folder(path)), None)
        if _is_stored(options.custom_model, folder, store):
            return {"model": {"name": options.custom_model, **languages}}, []
        if folder is not None:
            return {"model": {"dir": folder, **languages}}, []
        places = " or ".join(map(str, tried))
        complaints.append(f"Option custom_model is ignored: there is no folder {places[:300]}")
    if options.model != "auto":
        if Catalog.read().get(options.model) is not None:
            return {"model": {"name": options.model}}, complaints
        complaints.append(f"Option model is ignored: there is no model {options.model[:60]!r}")
    return ({"model": languages} if languages else {}), complaints


def _is_stored(name: str, folder: Path | None, store: ModelStore) -> bool:
    """Whether a name is that of a model in the store, or of what the store has left of one."""
    if store.installed(name) is not None:
        return True
    return store.knows(name) and folder in {None, store.layout.models / name}


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name that is too long, a folder that we may not look into
        return False


def _usable_hotwords(phrases: tuple[str, ...]) -> tuple[Tree, list[str]]:
    usable: list[Hotword] = []
    complaints = []
    for phrase in phrases:
        try:
            usable += parse_hotwords([phrase])
        except SettingsError as error:
            complaints.append(f"One of the hotwords is ignored: {error}")
    return ({"search": {"hotwords": tuple(usable)}} if usable else {}), complaints
