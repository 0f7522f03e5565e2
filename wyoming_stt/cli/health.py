"""`wyoming-stt health`: one describe round trip, for Docker's HEALTHCHECK and for people."""

from typing import Annotated

import typer

from wyoming_stt.cli.choices import DEFAULT_TIMEOUT_S, DEFAULT_URI
from wyoming_stt.cli.options import ServerUri
from wyoming_stt.cli.probe import probe

__all__ = ["health"]


def health(
    uri: ServerUri = DEFAULT_URI,
    timeout_s: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", help="Wait no longer for the answer.")
    ] = DEFAULT_TIMEOUT_S,
) -> None:
    """Ask a server what it serves.

    Exits with 0 when it answers as a speech-to-text server, with 1 otherwise.
    """
    raise typer.Exit(probe(uri, timeout_s))
