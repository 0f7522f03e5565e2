"""Where settings come from: a YAML file, the environment, the command line.

Each source is read into a tree of names and unchecked values; `settings.py` lays them over one
another and checks the result.
"""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from wyoming_stt.errors import SettingsError

__all__ = [
    "ENV_PREFIX",
    "MAX_FILE_BYTES",
    "OPTIONS_FILE_VARIABLE",
    "Tree",
    "app_options_file",
    "env_name",
    "merge",
    "parse_assignments",
    "read_environment",
    "read_file",
    "tree_of",
]

ENV_PREFIX: Final = "WYOMING_STT_"

MAX_FILE_BYTES: Final = 1_000_000
"""A settings file is a few hundred bytes; whatever is larger was named by mistake."""

OPTIONS_FILE_VARIABLE: Final = ENV_PREFIX + "OPTIONS_FILE"
"""Names another file than the app's: the original is readable by root alone."""
_APP_OPTIONS: Final = Path("/data/options.json")

Tree = dict[str, Any]
"""Nested names, and values as they were written."""


class _Loader(yaml.SafeLoader):
    """Reads `off` and `no` as the words they are (YAML 1.2): a detector, a language."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile("^(true|false)$", re.IGNORECASE), list("tTfF")
)


def read_file(file: Path) -> Tree:
    """Read a YAML file.

    Raises:
        SettingsError: it cannot be read, or holds something else than names and values.
    """
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            raise SettingsError(f"the settings file {file} is larger than {MAX_FILE_BYTES} bytes")
        tree = yaml.load(file.read_text(encoding="utf-8"), _Loader)  # noqa: S506
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read the settings file {file}: {error}") from error
    except yaml.YAMLError as error:
        raise SettingsError(f"the settings file {file} is not YAML: {error}") from error
    if not isinstance(tree, dict | None):
        raise SettingsError(f"the settings file {file} must hold names and values, as in README.md")
    return tree or {}


def read_environment(environment: Mapping[str, str] = os.environ) -> Tree:
    """Read the variables that begin with `ENV_PREFIX`; `__` separates the names on the path.

    systemd's own variable `NOTIFY_SOCKET` is read too, under the name of our setting.
    """
    ours = {
        name.removeprefix(ENV_PREFIX).lower().replace("__", "."): value
        for name, value in environment.items()
        # An empty variable is how a compose file says "not set".
        if name.startswith(ENV_PREFIX) and value and name != OPTIONS_FILE_VARIABLE
    }
    systemd = environment.get("NOTIFY_SOCKET")
    return tree_of({"readiness.socket": systemd, **ours} if systemd else ours)


def app_options_file(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Return where the options of the Home Assistant app are, None where we are not the app.

    The Supervisor gives a token to its apps, and to nobody else.
    """
    if "SUPERVISOR_TOKEN" not in environment:
        return None
    return Path(environment.get(OPTIONS_FILE_VARIABLE) or _APP_OPTIONS)


def parse_assignments(assignments: Sequence[str]) -> Tree:
    """Read `--set` values such as `engine.workers=2`.

    Raises:
        SettingsError: one of them has no `=`.
    """
    values = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise SettingsError(f"--set {assignment}: expected NAME=VALUE, as in engine.workers=2")
        values[name.strip()] = value.strip()
    return tree_of(values)


def tree_of(values: Mapping[str, object]) -> Tree:
    """Nest values that are named by their whole path (`engine.workers`)."""
    tree: Tree = {}
    for name, value in values.items():
        tree = merge(tree, _nest(name.split("."), value))
    return tree


def merge(below: Tree, above: Tree) -> Tree:
    """Lay one tree over another, name by name."""
    both = below | above
    for name in below.keys() & above.keys():
        if isinstance(below[name], dict) and isinstance(above[name], dict):
            both[name] = merge(below[name], above[name])
    return both


def env_name(setting: str) -> str:
    """Spell a setting (`engine.workers`) as an environment variable."""
    return ENV_PREFIX + setting.replace(".", "__").upper()


def _nest(path: Sequence[str], value: object) -> Tree:
    head, *rest = path
    return {head: _nest(rest, value) if rest else value}
