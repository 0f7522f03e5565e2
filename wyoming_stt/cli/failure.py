"""How a command fails: one line on standard error, exit code 1."""

from typing import NoReturn

import typer

__all__ = ["fail"]


def fail(reason: object) -> NoReturn:
    """End the command."""
    typer.echo(f"wyoming-stt: {reason}", err=True)
    raise typer.Exit(1)
