"""All settings in one frozen tree, read once.

A later source wins: defaults < profile < YAML file < options of the Home Assistant app <
environment < command line.

A setting's name is its path in the tree: `engine.workers` is `engine: {workers: 2}` in the file,
`WYOMING_STT_ENGINE__WORKERS` in the environment and `--set engine.workers=2` on the command line.
The options of each stage live beside that stage; they are only composed here.
"""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from pydantic import BaseModel, BeforeValidator, ConfigDict, PrivateAttr, ValidationError
from pydantic_core import ErrorDetails

from wyoming_stt.audio.endpoint import EndpointOptions
from wyoming_stt.audio.gate import VadOptions
from wyoming_stt.decoding.options import SearchOptions
from wyoming_stt.degrade import DegradeOptions
from wyoming_stt.engine import EngineOptions, UtteranceOptions
from wyoming_stt.errors import SettingsError
from wyoming_stt.front.announce.options import AnnounceOptions
from wyoming_stt.front.http.options import HttpOptions
from wyoming_stt.front.wyoming.options import WyomingOptions
from wyoming_stt.hardware import detect
from wyoming_stt.homeassistant import APP_DEFAULTS, AppSettings, read_app
from wyoming_stt.hotwords import parse_hotwords, read_hotwords
from wyoming_stt.jobs.options import JobsOptions
from wyoming_stt.lifecycle_options import LifecycleOptions
from wyoming_stt.log import LogSettings
from wyoming_stt.observability.history import HistoryOptions
from wyoming_stt.ort import OrtOptions
from wyoming_stt.profile import Profile, profile_settings
from wyoming_stt.readiness import ReadinessOptions
from wyoming_stt.sources import (
    Tree,
    app_options_file,
    env_name,
    merge,
    read_environment,
    read_file,
)
from wyoming_stt.store.options import StoreOptions

__all__ = ["ModelSettings", "Settings", "UpgradeOptions", "load_settings", "setting_names"]

_ENVIRONMENT = "the environment"


def _split(value: object) -> object:
    """Let the environment and `--set` write a list as `a,b,c`."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _with_hotwords(search: object) -> object:
    """Let `search.hotwords` be a file's name, `a, b :2.5`, or a list of such phrases."""
    match search:
        case {"hotwords": str(text), **rest}:
            return {**rest, "hotwords": read_hotwords(text)}
        case {"hotwords": [*phrases], **rest} if all(isinstance(item, str) for item in phrases):
            return {**rest, "hotwords": parse_hotwords(phrases)}
    return search


def _split_in(*names: str) -> BeforeValidator:
    """Let these settings of a stage be written as `a,b,c`."""

    def split(options: object) -> object:
        if not isinstance(options, dict):
            return options
        return options | {name: _split(options[name]) for name in names if name in options}

    return BeforeValidator(split)


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Which model to serve. With neither `name` nor `dir`, the one that comes with the package."""

    name: str | None = None
    """A model that comes with the package, one installed with `wyoming-stt models pull`, or `fake`:
    a script that needs no files."""
    dir: Path | None = None
    """Folder of a model in the icefall or sherpa-onnx layout, with its `tokens.txt`."""
    languages: Annotated[tuple[str, ...] | None, BeforeValidator(_split)] = None
    """Codes of the languages the model was trained on; its files do not tell. Without any, those of
    the catalogue for an installed model, and else `en`. Models that come with the package know
    theirs."""


@dataclass(frozen=True, slots=True)
class UpgradeOptions:
    """Whether a better model is fetched by itself; durations in seconds."""

    enabled: bool = True
    """Fetch in the background the model that `model.name` names or that suits the machine, and
    serve it as soon as it is there. `store.offline` forbids all of it."""
    retry_s: float = 300.0
    """First pause after a fetch that failed; it doubles with each."""
    retry_max_s: float = 21_600.0
    """Longest of these pauses."""

    def __post_init__(self) -> None:
        if not 0 < self.retry_s <= self.retry_max_s:
            raise SettingsError("upgrade.retry_s must be above 0, and upgrade.retry_max_s no less")


class Settings(BaseModel):
    """Everything that can be chosen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile: Profile = "auto"
    """How much of the machine to use: `small` decodes on one thread and bounds memory more tightly,
    `fast` answers sooner and takes more of the processor. Auto is `small` with less than 1 GiB of
    memory or one core, and else in between. What it changes are defaults of other settings."""
    data_dir: Path | None = None
    """Folder for downloaded models and all that is remembered; without one the user's folder for
    application data, in the Home Assistant app `/data`."""
    model: ModelSettings = ModelSettings()
    store: Annotated[StoreOptions, _split_in("mirrors")] = StoreOptions()
    wyoming: WyomingOptions = WyomingOptions()
    http: Annotated[HttpOptions, _split_in("allow_origin", "trusted_proxies")] = HttpOptions()
    jobs: Annotated[JobsOptions, _split_in("callback_hosts")] = JobsOptions()
    announce: AnnounceOptions = AnnounceOptions()
    engine: EngineOptions = EngineOptions()
    lifecycle: LifecycleOptions = LifecycleOptions()
    degrade: DegradeOptions = DegradeOptions()
    upgrade: UpgradeOptions = UpgradeOptions()
    search: Annotated[SearchOptions, BeforeValidator(_with_hotwords)] = SearchOptions()
    vad: VadOptions = VadOptions()
    endpoint: EndpointOptions = EndpointOptions.from_sensitivity("default")
    ort: OrtOptions = OrtOptions()
    statistics: HistoryOptions = HistoryOptions()
    readiness: ReadinessOptions = ReadinessOptions()
    log: LogSettings = LogSettings()

    _complaints: tuple[str, ...] = PrivateAttr(())

    @property
    def utterance(self) -> UtteranceOptions:
        """How to listen to an utterance, where its client wishes nothing else."""
        return UtteranceOptions(search=self.search, vad=self.vad, endpoint=self.endpoint)

    @property
    def complaints(self) -> tuple[str, ...]:
        """What a source held that was left out, a sentence each; for the log, once there is one."""
        return self._complaints


def load_settings(
    file: Path | None = None,
    command_line: Tree | None = None,
    environment: Tree | None = None,
) -> Settings:
    """Read the settings from everywhere; a later source wins, name by name.

    Raises:
        SettingsError: a source cannot be read, or sets something that does not exist or fit.
    """
    options_file = app_options_file()
    app = read_app(options_file) if options_file else AppSettings({})
    sources = {
        "the Home Assistant app": APP_DEFAULTS if options_file else {},
        f"the file {file}": read_file(file) if file else {},
        "the options of the app": app.settings,
        _ENVIRONMENT: read_environment() if environment is None else environment,
        "the command line": command_line or {},
    }
    tree: Tree = {}
    for source in sources.values():
        tree = merge(tree, source)
    tree = merge(profile_settings(tree.get("profile", "auto"), detect()), tree)
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(e, sources) for e in error.errors())) from None
    settings._complaints = app.complaints
    return settings


def setting_names(options: type = Settings, prefix: str = "") -> Iterator[str]:
    """Names of all settings under `options`, in the order of declaration."""
    hints = get_type_hints(options)
    for name in _field_names(options):
        if is_dataclass(hints[name]):
            yield from setting_names(hints[name], f"{prefix}{name}.")
        else:
            yield prefix + name


def _field_names(options: type) -> list[str]:
    if issubclass(options, BaseModel):
        return list(options.model_fields)
    return [field.name for field in fields(options)] if is_dataclass(options) else []


def _explain(details: ErrorDetails, sources: dict[str, Tree]) -> str:
    """Say in one line which setting is wrong, where it was set, and how to mend it."""
    name = ".".join(str(part) for part in details["loc"])
    source = next((s for s in reversed(sources) if _holds(sources[s], details["loc"])), "defaults")
    spell = env_name if source == _ENVIRONMENT else str
    if details["type"] in {"extra_forbidden", "unexpected_keyword_argument"}:
        names = [*setting_names(), *Settings.model_fields]
        near = difflib.get_close_matches(name.replace("_", "."), names, n=1, cutoff=0)
        return f"{spell(name)} in {source}: no such setting; did you mean {spell(near[0])}?"
    reason = details["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{spell(name)} in {source}: {reason}; found {_shown(name, details['input'])}"


def _holds(tree: Any, path: tuple[int | str, ...]) -> bool:
    """Tell whether the tree has a value at the path; what lies inside a list counts as the list."""
    for part in path:
        if not isinstance(tree, dict):
            return True
        if part not in tree:
            return False
        tree = tree[part]
    return True


def _shown(name: str, value: object, most: int = 60) -> str:
    """Repeat a wrong value, without the secrets that it may be or hold."""
    if name.endswith(("token", "secret", "backend")):
        return "something that is not shown"
    text = ", ".join(map(str, value)) if isinstance(value, dict) else repr(value)
    return text if len(text) <= most else text[: most - 3] + "..."
