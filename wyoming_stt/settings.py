"""All settings in one frozen tree, read once: defaults < YAML file < environment < command line.

A setting's name is its path in the tree: `engine.workers` is `engine: {workers: 2}` in the file,
`WYOMING_STT_ENGINE__WORKERS` in the environment and `--set engine.workers=2` on the command line.
The options of each stage live beside that stage; they are only composed here.
"""

import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Final, get_type_hints

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from wyoming_stt.decoding.options import SearchOptions
from wyoming_stt.engine import EngineOptions
from wyoming_stt.errors import SettingsError
from wyoming_stt.hotwords import parse_hotwords, read_hotwords
from wyoming_stt.log import LogSettings
from wyoming_stt.ort import OrtOptions

__all__ = ["ENV_PREFIX", "ModelSettings", "Settings", "load_settings", "parse_assignments"]

ENV_PREFIX: Final = "WYOMING_STT_"

Tree = dict[str, Any]
"""Settings as read from one source: nested dictionaries, values not checked yet."""


def _split(value: object) -> object:
    """Let the environment and `--set` write a list as `a,b,c`."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _read_hotwords(value: object) -> object:
    """Let `search.hotwords` be a file's name, `a,b :2.5`, or a list of such phrases."""
    match value:
        case {"hotwords": str(text), **rest}:
            return {**rest, "hotwords": read_hotwords(text)}
        case {"hotwords": [*phrases], **rest} if all(isinstance(item, str) for item in phrases):
            return {**rest, "hotwords": parse_hotwords(phrases)}
    return value


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Which model to serve. With neither `name` nor `dir`, the one that comes with the package."""

    name: str | None = None
    """A model that comes with the package, or `fake`: a script that needs no files."""
    dir: Path | None = None
    """Folder of a model in the icefall or sherpa-onnx layout, with its `tokens.txt`."""
    languages: Annotated[tuple[str, ...], BeforeValidator(_split)] = ()
    """Language codes the model was trained on, where its files do not tell; `en` when empty."""


class Settings(BaseModel):
    """Everything that can be chosen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: ModelSettings = ModelSettings()
    search: Annotated[SearchOptions, BeforeValidator(_read_hotwords)] = SearchOptions()
    engine: EngineOptions = EngineOptions()
    ort: OrtOptions = OrtOptions()
    log: LogSettings = LogSettings()


def load_settings(
    file: Path | None = None,
    command_line: Tree | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """Read the settings from everywhere; later sources win, key by key.

    Raises:
        SettingsError: a source cannot be read, or names or sets something that does not exist.
    """
    sources: dict[str, Tree] = {
        f"file {file}": _read_file(file) if file else {},
        "environment": _read_environment(environment),
        "command line": command_line or {},
    }
    merged: Tree = {}
    for tree in sources.values():
        _merge(merged, tree)
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        lines = [_explain(details, sources) for details in error.errors()]
        raise SettingsError("\n".join(lines)) from None


def parse_assignments(assignments: Sequence[str]) -> Tree:
    """Turn `--set` values (`engine.workers=2`) into a tree.

    Raises:
        SettingsError: one of them has no `=`.
    """
    tree: Tree = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise SettingsError(f"--set {assignment}: expected NAME=VALUE, as in engine.workers=2")
        _insert(tree, name.strip().split("."), value.strip())
    return tree


def setting_names(options: type, prefix: str = "") -> Iterator[str]:
    """All names of the tree under `options`, in the order of declaration."""
    hints = get_type_hints(options)
    for name in _field_names(options):
        nested = hints[name]
        if is_dataclass(nested):
            yield from setting_names(nested, f"{prefix}{name}.")
        else:
            yield prefix + name


def _field_names(options: type) -> list[str]:
    if issubclass(options, BaseModel):
        return list(options.model_fields)
    return [field.name for field in fields(options)]


def _read_file(file: Path) -> Tree:
    try:
        tree = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read the settings file {file}: {error}") from error
    except yaml.YAMLError as error:
        raise SettingsError(f"the settings file {file} is no YAML: {error}") from error
    if not isinstance(tree, dict | None):
        raise SettingsError(f"the settings file {file} must hold names and values")
    return tree or {}


def _read_environment(environment: Mapping[str, str]) -> Tree:
    tree: Tree = {}
    for name, value in environment.items():
        # An empty variable is how a compose file says "not set".
        if name.startswith(ENV_PREFIX) and value:
            _insert(tree, name.removeprefix(ENV_PREFIX).lower().split("__"), value)
    return tree


def _insert(tree: Tree, path: Sequence[str], value: object) -> None:
    _merge(tree, _nest(path, value))


def _nest(path: Sequence[str], value: object) -> Tree:
    head, *rest = path
    return {head: _nest(rest, value) if rest else value}


def _merge(target: Tree, tree: Tree) -> None:
    for name, value in tree.items():
        if isinstance(value, dict) and isinstance(target.get(name), dict):
            _merge(target[name], value)
        else:
            target[name] = _copy(value)
