"""`models rollback`, `verify`, `remove` and `prune`."""

from typing import TYPE_CHECKING, Annotated

import typer

from wyoming_stt.cli.models.common import (
    AsJson,
    ConfigFile,
    DataDir,
    answering,
    mebibytes,
    open_models,
    reply,
    showing,
)
from wyoming_stt.errors import ChecksumError

if TYPE_CHECKING:
    from wyoming_stt.store import ModelFiles, ModelStore

__all__ = ["prune", "remove", "rollback", "verify"]

_Model = Annotated[str, typer.Argument(metavar="MODEL", help="Its name.")]


def rollback(
    model: _Model,
    *,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Use the version of a model again that was in use before the last update.

    The server leaves the newer one alone until the catalogue has yet another, or until update.
    """
    with answering(as_json=as_json):
        with showing() as report:
            files = open_models(config, data_dir).rollback(model, report)
        if as_json:
            reply({"id": files.id, "version": files.version, "folder": str(files.folder)})
        else:
            typer.echo(f"{files.id} is {files.version} again")


def verify(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MODEL]...", help="Installed models; all, if none is named."),
    ] = None,
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help="Read only files of another size or time.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Compare every byte with the checksums of the installation.

    A damaged version is put aside; the one before it is in use again, if there is one. Exits with
    65 when something was damaged.
    """
    with answering(as_json=as_json):
        store = open_models(config, data_dir)
        chosen = models or [files.id for files in store.all_installed()]
        damaged: dict[str, list[str]] = {}
        with showing() as report:
            for files in [files for name in chosen for files in _versions(store, name)]:
                broken = store.verify(files, every_byte=not quick)
                if broken:
                    damaged[f"{files.id} {files.version}"] = broken
                    store.quarantine(files, f"damaged: {', '.join(broken)}", report)
        if as_json:
            reply({"verified": chosen, "damaged": damaged})
            raise typer.Exit(65 if damaged else 0)
        if damaged:
            names = "; ".join(f"{name}: {', '.join(broken)}" for name, broken in damaged.items())
            raise ChecksumError(f"damaged and put aside: {names}. Install it again with pull")
        typer.echo(f"{len(chosen)} models, all as they were installed")


def remove(
    model: _Model,
    *,
    version: Annotated[
        str | None,
        typer.Option("--version", metavar="VERSION", help="Only this version; otherwise all."),
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Delete a model from this machine."""
    with answering(as_json=as_json):
        with showing() as report:
            gone = open_models(config, data_dir).remove(model, version, report)
        if as_json:
            reply({"id": model, "removed": [files.version for files in gone]})
        else:
            typer.echo(f"Removed {model} {', '.join(files.version for files in gone)}")


def prune(*, as_json: AsJson = False, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Delete old versions but the last, parts of downloads, and damaged models put aside."""
    with answering(as_json=as_json):
        with showing() as report:
            freed = open_models(config, data_dir).prune(report)
        if as_json:
            reply({"freed_bytes": freed})
        else:
            typer.echo(f"Freed {mebibytes(freed)}")


def _versions(store: "ModelStore", model: str) -> list["ModelFiles"]:
    store.find(model)
    return store.versions(model)
