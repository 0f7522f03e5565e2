"""`models pull` and `models update`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wyoming_stt.cli.failure import complain, exit_code
from wyoming_stt.cli.models.common import (
    AsJson,
    ConfigFile,
    DataDir,
    Offline,
    answering,
    fault_of,
    open_models,
    reply,
)
from wyoming_stt.errors import ModelError

if TYPE_CHECKING:
    from wyoming_stt.store import ModelSpec, ModelStore, Pulled

__all__ = ["pull", "update"]


def pull(
    models: Annotated[list[str], typer.Argument(metavar="MODEL...", help="Names to install.")],
    *,
    offline: Offline = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Download models and install them; what broke off goes on where it was."""
    with answering(as_json=as_json):
        store = open_models(config, data_dir, offline=offline)
        catalog = store.catalog()
        _pull(store, [catalog.find(name) for name in models], as_json=as_json)


def update(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MODEL]...", help="Installed models; all, if none is named."),
    ] = None,
    *,
    offline: Offline = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Install the catalogue's version of models that are installed in another one.

    The version in use until now stays, for rollback.
    """
    with answering(as_json=as_json):
        store = open_models(config, data_dir, offline=offline)
        catalog = store.catalog()
        names = [catalog.find(name).id for name in models or ()]
        wanted = [store.find(name) for name in names] if names else store.all_installed()
        specs = [catalog.get(files.id) for files in wanted]
        outdated = [
            spec
            for files, spec in zip(wanted, specs, strict=True)
            # One of one's own may be called as one that ships inside.
            if spec and not spec.inside and spec.version != files.version
        ]
        if not outdated and not as_json:
            typer.echo("Everything is as new as the catalogue.")
        _pull(store, outdated, as_json=as_json)


def _pull(store: "ModelStore", specs: Sequence["ModelSpec"], *, as_json: bool) -> None:
    """Pull one after another; what one of several fails with keeps no other from being pulled."""
    from wyoming_stt.cli.models.bars import StoreDisplay

    results, failed = [], []
    with StoreDisplay() as display:
        for spec in specs:
            try:
                pulled = store.pull(spec, display.report)
            except ModelError as error:
                if len(specs) == 1:
                    raise
                failed.append((spec.id, error))
                complain(f"{spec.id} {spec.version} is not installed: {error}")
                continue
            results.append(_result(pulled))
            for url in pulled.recorded:
                display.note(
                    f"Nobody publishes a checksum of {url}: what came is taken as it is, and "
                    "recorded; from now on nothing else is accepted under that address"
                )
            if pulled.fetched and spec.conditions:
                display.note(f"Licence {spec.licence}. {spec.conditions}")
            if not as_json:
                done = "Installed" if pulled.fetched else "Already installed:"
                typer.echo(f"{done} {spec.id} {spec.version} in {pulled.files.folder}")
    if as_json:
        faults = [{"id": name, **fault_of(error)} for name, error in failed]
        reply({"models": results, "failed": faults})
    if failed:
        raise typer.Exit(exit_code(failed[0][1]))


def _result(pulled: "Pulled") -> dict[str, Any]:
    return {
        "id": pulled.files.id,
        "version": pulled.files.version,
        "folder": str(pulled.files.folder),
        "fetched": pulled.fetched,
        "checksums_recorded": list(pulled.recorded),
    }
