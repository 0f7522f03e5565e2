"""`wyoming-stt serve`: the server."""

import logging
from typing import Annotated

import typer

from wyoming_stt.cli import options

__all__ = ["serve"]


def serve(
    *,
    uri: Annotated[
        str | None,
        typer.Option(
            metavar="URI", help="Where to listen: tcp://host:port, unix:///path or stdio://."
        ),
    ] = None,
    model: options.ModelName = None,
    model_dir: options.ModelDir = None,
    language: options.Language = None,
    zeroconf: Annotated[
        bool | None,
        typer.Option(
            "--zeroconf/--no-zeroconf", help="Announce the server to Home Assistant on the LAN."
        ),
    ] = None,
    config: options.ConfigFile = None,
    assignments: options.Assignments = None,
    log_level: options.LogLevelOption = None,
) -> None:
    """Serve speech-to-text over Wyoming.

    SIGTERM and Ctrl-C let open utterances finish, then exit with 0; a second one ends at once.
    Exits with 1 when the model or the address cannot be used.
    """
    settings = options.read_settings(
        config,
        assignments,
        {
            "wyoming.uri": uri,
            "model.name": model,
            "model.dir": model_dir,
            "model.languages": language,
            "announce.enabled": zeroconf,
            "log.level": log_level,
        },
    )
    import asyncio

    from wyoming_stt import log
    from wyoming_stt.app import serve as serve_settings

    log.configure(settings.log)
    for complaint in settings.complaints:
        logging.getLogger(__name__).warning("%s", complaint)
    asyncio.run(serve_settings(settings))
