"""`wyoming-stt models`: what is in the catalogue and in the store, and what changes it."""

from typing import Final

import typer

from wyoming_stt.cli.models.adding import add
from wyoming_stt.cli.models.fetching import pull, update
from wyoming_stt.cli.models.keeping import prune, remove, rollback, verify
from wyoming_stt.cli.models.listing import list_models, show

__all__ = ["models"]

models: Final = typer.Typer(
    name="models",
    help="Download, check and remove models.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
models.command("list")(list_models)
for command in (show, pull, update, rollback, verify, remove, add, prune):
    models.command()(command)
