"""What the commands share: their options, the store, and how they answer."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wyoming_stt.cli.failure import exit_code
from wyoming_stt.cli.options import ConfigFile, read_settings
from wyoming_stt.errors import SttError

if TYPE_CHECKING:
    from wyoming_stt.store import ModelSpec, ModelStore, Report

__all__ = [
    "AsJson",
    "ConfigFile",
    "DataDir",
    "Offline",
    "answering",
    "facts_of",
    "fault_of",
    "mebibytes",
    "open_models",
    "reply",
    "showing",
    "table",
]

AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON object.")]
DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", metavar="DIR", help="Folder of the store (setting data_dir)."),
]
Offline = Annotated[
    bool | None, typer.Option("--offline", help="Never touch the network.", show_default=False)
]


def open_models(
    config: Path | None, data_dir: Path | None, *, offline: bool | None = None
) -> "ModelStore":
    """Open the store that the settings name.

    Raises:
        SettingsError: as `load_settings`.
    """
    from wyoming_stt.data_folder import open_store

    flags = {"data_dir": data_dir, "store.offline": offline}
    return open_store(read_settings(config, (), flags))


@contextmanager
def answering(*, as_json: bool) -> Iterator[None]:
    """Answer an error, too, in JSON where JSON was asked for."""
    try:
        yield
    except SttError as error:
        if not as_json:
            raise
        reply({"error": fault_of(error)})
        raise typer.Exit(exit_code(error)) from None


def fault_of(error: SttError) -> dict[str, str]:
    """Return an error as it is written in JSON."""
    return {"code": error.code, "message": str(error)}


def reply(content: dict[str, Any]) -> None:
    """Write the answer as JSON."""
    typer.echo(json.dumps(content, ensure_ascii=False))


@contextmanager
def showing() -> Iterator["Report"]:
    """Show what the store is at, and whom it waits for."""
    from wyoming_stt.cli.models.bars import StoreDisplay

    with StoreDisplay() as display:
        yield display.report


def table(columns: list[str], rows: list[list[str]], numbers: int = 0) -> None:
    """Write a table; as plain columns where nobody watches.

    Args:
        columns: their headings.
        rows: as many cells each.
        numbers: how many of the last columns hold numbers.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if not console.is_terminal:
        # A pipe has no width: nothing is to be cut.
        console.width = 10_000
    grid = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for number, column in enumerate(columns):
        right = number >= len(columns) - numbers
        grid.add_column(column, justify="right" if right else "left", no_wrap=number == 0)
    for row in rows:
        grid.add_row(*row)
    console.print(grid, markup=False, highlight=False)


def mebibytes(size: int | None) -> str:
    """Spell a size for people."""
    return "?" if size is None else f"{size / (1 << 20):.0f} MiB"


def facts_of(store: "ModelStore", model: str, spec: "ModelSpec | None") -> dict[str, Any]:
    """Return what is known of a model from the catalogue and from the store."""
    from wyoming_stt.store.succession import newest_first

    files = used = store.installed(model)
    if files is None:  # or there are only versions that somebody went back from
        files = next(iter(newest_first(store.versions(model))), None)
    facts: dict[str, Any] = {}
    if files is not None:
        facts = files.manifest.model_dump(mode="json", exclude={"files"})
    if spec is not None:
        facts |= spec.model_dump(mode="json", exclude={"files", "archive"})
        facts["download_bytes"] = spec.download_bytes
        facts["checksum_published"] = all(remote.sha256 for remote in spec.downloads)
    return (
        {"id": model}
        | facts
        | {
            "installed": used.version if used else None,
            "installed_bytes": files.manifest.size if files else None,
            "folder": str(files.folder) if files else None,
        }
    )
