"""`wyoming-stt serve`: the server."""

import logging
from pathlib import Path
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
    http_uri: Annotated[
        str | None, typer.Option(metavar="URI", help="Where to serve HTTP: tcp://host:port.")
    ] = None,
    http: Annotated[
        bool | None, typer.Option("--http/--no-http", help="Serve HTTP beside Wyoming.")
    ] = None,
    api_token: Annotated[
        str | None,
        typer.Option(metavar="TOKEN", help="Let in HTTP clients with this token only."),
    ] = None,
    api_token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Read that token from a file.")
    ] = None,
    insecure_no_token: Annotated[
        bool | None,
        typer.Option("--insecure-no-token", help="Serve HTTP to a network without a token."),
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(metavar="ORIGIN", help="Let pages of https://host[:port] in; repeatable."),
    ] = None,
    cors_allow_any: Annotated[
        bool | None, typer.Option("--cors-allow-any", help="Let pages of any origin in.")
    ] = None,
    metrics: Annotated[
        bool | None, typer.Option("--metrics/--no-metrics", help="Answer GET /metrics.")
    ] = None,
    jobs: options.Jobs = None,
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
    """Serve speech-to-text over Wyoming and HTTP.

    SIGTERM and Ctrl-C let open utterances finish, then exit with 0; a second one ends at once.
    Exits with 1 when the model, the address or this machine cannot be used.
    """
    settings = options.read_settings(
        config,
        assignments,
        {
            "wyoming.uri": uri,
            "http.uri": http_uri,
            "http.enabled": http,
            "http.api_token": api_token,
            "http.api_token_file": api_token_file,
            "http.insecure_no_token": insecure_no_token,
            "http.allow_origin": allow_origin,
            "http.cors_allow_any": cors_allow_any,
            "http.metrics": metrics,
            "jobs.backend": jobs,
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
    from wyoming_stt.data_folder import data_folder
    from wyoming_stt.preflight import folder_complaint

    log.configure(settings.log)
    for complaint in (*settings.complaints, folder_complaint(data_folder(settings))):
        if complaint is not None:
            logging.getLogger(__name__).warning("%s", complaint)
    asyncio.run(serve_settings(settings))
