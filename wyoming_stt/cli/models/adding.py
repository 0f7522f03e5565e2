"""`models add`: a folder with a model of one's own, or a file with entries for the catalogue."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wyoming_stt.cli.models.common import (
    AsJson,
    ConfigFile,
    DataDir,
    answering,
    open_models,
    reply,
)

if TYPE_CHECKING:
    from wyoming_stt.store import ModelStore

__all__ = ["add"]


def add(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="A model's folder, or a catalogue (.toml).")
    ],
    *,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Default: as PATH is called.")
    ] = None,
    language: Annotated[
        list[str] | None,
        typer.Option(
            "--language", metavar="CODE", help="Language of the model in a folder; repeatable."
        ),
    ] = None,
    version: Annotated[
        str, typer.Option("--version", metavar="VERSION", help="Of the model in a folder.")
    ] = "local",
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Add a model of your own.

    A folder is copied into the store. The entries of a catalogue file can be pulled afterwards; one
    with the id of ours replaces it.
    """
    with answering(as_json=as_json):
        store = open_models(config, data_dir)
        if path.suffix == ".toml" and path.is_file():
            added = [entry.id for entry in store.add_entries(path, name or path.stem)]
        else:
            added = [_add_folder(store, path, name, language or ["en"], version)]
        if as_json:
            reply({"added": added})
        else:
            typer.echo(f"Added {', '.join(added)}")


def _add_folder(
    store: "ModelStore", folder: Path, name: str | None, languages: list[str], version: str
) -> str:
    from pydantic import ValidationError

    from wyoming_stt.errors import ModelFileError, SettingsError
    from wyoming_stt.models.registry import FAKE, find_family
    from wyoming_stt.store import Manifest

    if not folder.is_dir():
        raise ModelFileError(folder, "a model's folder or a catalogue file", "nothing of the kind")
    called = name or folder.resolve().name.lower()
    published = store.catalog(lambda _: None).get(called)
    if called == FAKE or (published is not None and published.inside):
        raise SettingsError(f"{called} ships inside: choose another name with --name")
    family = find_family(folder).name
    try:
        facts = Manifest(
            id=called,
            version=version,
            family=family,
            languages=tuple(languages),
            licence="of its owner",
            source=str(folder.resolve()),
            installed_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
    except ValidationError as error:
        fault = error.errors()[0]
        raise SettingsError(
            f"{fault['loc'][0]} {fault['input']!r}: only letters, digits, '.', '_' and '-', and in "
            "a name no capitals; choose another with --name, --version or --language"
        ) from None
    return store.add(folder, facts).id
