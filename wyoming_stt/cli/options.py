"""Options that several commands share, and how they become settings."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wyoming_stt.cli.choices import LogLevel

if TYPE_CHECKING:
    from wyoming_stt.settings import Settings

__all__ = [
    "Assignments",
    "ConfigFile",
    "Jobs",
    "Language",
    "LogLevelOption",
    "ModelDir",
    "ModelName",
    "ServerUri",
    "read_settings",
]

ConfigFile = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Read settings from a YAML file.")
]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Change any setting, as in engine.workers=2; repeatable.",
    ),
]
ModelName = Annotated[
    str | None,
    typer.Option("--model", metavar="NAME", help="Model of the package, or an installed one."),
]
ModelDir = Annotated[
    Path | None,
    typer.Option("--model-dir", metavar="DIR", help="Folder of a model, with its tokens.txt."),
]
Language = Annotated[
    list[str] | None,
    typer.Option(
        "--language", metavar="CODE", help="Language the model was trained on; repeatable."
    ),
]
LogLevelOption = Annotated[
    LogLevel | None, typer.Option("--log-level", help="Least important level to log.")
]
Jobs = Annotated[
    str | None,
    typer.Option(
        "--jobs",
        metavar="BACKEND",
        help="Queue of long recordings: sqlite, redis://host:port/db or off.",
    ),
]
ServerUri = Annotated[
    str, typer.Option("--uri", metavar="URI", help="Where the server is: tcp:// or unix://.")
]


def read_settings(
    config: Path | None, assignments: Sequence[str] | None, flags: Mapping[str, object]
) -> "Settings":
    """Read all sources of settings; `flags` are those given, by setting name (None: not given).

    Raises:
        SettingsError: as `load_settings`.
        UnfitMachineError: this machine cannot run any of it.
    """
    from wyoming_stt.hardware import detect
    from wyoming_stt.preflight import check_machine

    check_machine(detect())  # before anything is imported that would die of it
    from wyoming_stt.settings import load_settings
    from wyoming_stt.sources import merge, parse_assignments, tree_of

    given = {name: value for name, value in flags.items() if value is not None}
    return load_settings(config, merge(parse_assignments(assignments or ()), tree_of(given)))
