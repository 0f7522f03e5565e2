"""The commands in one program; how it ends when one fails."""

import sys
from typing import Annotated

import typer

from wyoming_stt import __version__
from wyoming_stt.cli.failure import exit_code
from wyoming_stt.cli.health import health
from wyoming_stt.cli.info import info
from wyoming_stt.cli.models import models
from wyoming_stt.cli.quantize import quantize
from wyoming_stt.cli.say import say
from wyoming_stt.cli.serve import serve
from wyoming_stt.cli.stats import stats
from wyoming_stt.cli.transcribe import transcribe
from wyoming_stt.cli.worker import worker
from wyoming_stt.errors import SttError

__all__ = ["app", "main"]

# Plain help: it is the same text in a terminal, a pipe and docs/usage.md.
app = typer.Typer(
    name="wyoming-stt",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (serve, worker, transcribe, say, health, info, stats, quantize):
    app.command()(command)
app.add_typer(models)


def _print_version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _program(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Local speech-to-text for Home Assistant."""


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 failed, others as in `cli/failure.py`."""
    try:
        app()
    except (SttError, OSError) as error:
        typer.echo(f"wyoming-stt: {error}", err=True)
        sys.exit(exit_code(error))
