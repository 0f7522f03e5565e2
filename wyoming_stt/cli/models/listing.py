"""`models list` and `models show`."""

from typing import Annotated, Any

import typer

from wyoming_stt.cli.models.common import (
    AsJson,
    ConfigFile,
    DataDir,
    answering,
    facts_of,
    mebibytes,
    open_models,
    reply,
    table,
)

__all__ = ["list_models", "show"]


def list_models(
    *,
    installed: Annotated[
        bool, typer.Option("--installed", help="Only what is on this machine.")
    ] = False,
    language: Annotated[
        str | None, typer.Option("--language", metavar="CODE", help="Only for this language.")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """List the models of the catalogue and of the store."""
    with answering(as_json=as_json):
        store = open_models(config, data_dir)
        here = [name for name in store.layout.ids() if store.versions(name)]
        specs = {spec.id: spec for spec in store.catalog()}
        names = dict.fromkeys(here if installed else [*specs, *here])
        models = [facts_of(store, name, specs.get(name)) for name in names]
        if language:
            models = [facts for facts in models if language in facts["languages"]]
        if as_json:
            aside = [{"id": q.id, "version": q.version} for q in store.quarantined()]
            reply({"data_dir": str(store.data_dir), "models": models, "quarantined": aside})
            return
    columns = ["Model", "Languages", "Words", "Memory", "Speed", "Licence", "Installed", "Download"]
    table(columns, [_row(facts) for facts in models], numbers=1)


def show(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Its name.")],
    *,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Tell everything about one model."""
    with answering(as_json=as_json):
        store = open_models(config, data_dir)
        spec = store.catalog().get(model)
        name = spec.id if spec else model
        if spec is None and not store.knows(name):
            store.catalog().find(model)
        facts = facts_of(store, name, spec)
        facts["versions"] = [found.version for found in store.versions(facts["id"])]
        facts["held_back"] = list(store.held_back(facts["id"]))
        facts["quarantined"] = [
            f"{found.version}: {found.reason}"
            for found in store.quarantined()
            if found.id == facts["id"]
        ]
        if as_json:
            reply(facts)
            return
    width = max(map(len, facts))
    for name, value in facts.items():
        if value not in (None, []):
            text = ", ".join(map(str, value)) if isinstance(value, list) else value
            typer.echo(f"{name.replace('_', ' '):{width}}  {text}")


def _row(facts: dict[str, Any]) -> list[str]:
    words = {True: "while you speak", False: "at the end", None: ""}
    return [
        facts["id"],
        " ".join(facts["languages"]),
        words[facts.get("streaming")],
        facts.get("memory", ""),
        facts.get("speed", ""),
        facts["licence"],
        "inside" if facts.get("inside") else facts["installed"] or "",
        mebibytes(facts["download_bytes"]) if "download_bytes" in facts else "",
    ]
