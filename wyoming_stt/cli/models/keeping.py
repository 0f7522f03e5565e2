"""`models rollback`, `verify`, `remove` and `prune`."""

from typing import TYPE_CHECKING, Annotated

import typer

from wyoming_stt.cli.failure import complain, exit_code
from wyoming_stt.cli.models.common import (
    AsJson,
    ConfigFile,
    DataDir,
    answering,
    fault_of,
    mebibytes,
    open_models,
    reply,
    showing,
)
from wyoming_stt.errors import ChecksumError, ModelError

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
        chosen = models or [name for name in store.layout.ids() if store.versions(name)]
        damaged: dict[str, list[str]] = {}
        failed: list[tuple[str, ModelError]] = []
        with showing() as report:
            for files in [files for name in chosen for files in _versions(store, name)]:
                called = f"{files.id} {files.version}"
                try:
                    if broken := store.verify(files, every_byte=not quick):
                        damaged[called] = broken
                        store.quarantine(files, f"damaged: {', '.join(broken)}", report)
                except ModelError as error:  # what is wrong with one hides no other
                    failed.append((called, error))
        if as_json:
            faults = [{"id": called, **fault_of(error)} for called, error in failed]
            reply({"verified": chosen, "damaged": damaged, "failed": faults})
        else:
            _tell(len(chosen), damaged, failed)
        if damaged:
            raise typer.Exit(exit_code(ChecksumError()))
        if failed:
            raise typer.Exit(exit_code(failed[0][1]))


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
    versions = store.versions(model)
    if not versions:
        store.find(model)
    return versions


def _tell(count: int, damaged: dict[str, list[str]], failed: list[tuple[str, ModelError]]) -> None:
    if damaged:
        names = "; ".join(f"{called}: {', '.join(broken)}" for called, broken in damaged.items())
        complain(f"damaged and put aside: {names}. Install it again with pull")
    for called, error in failed:
        complain(f"{called}: {error}")
    if not damaged and not failed:
        typer.echo(f"{count} models, all as they were installed")
