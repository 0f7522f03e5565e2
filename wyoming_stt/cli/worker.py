"""`wyoming-stt worker`: does the jobs of a server, beside it or on another machine."""

from typing import Annotated

import typer

from wyoming_stt.cli import options

__all__ = ["worker"]


def worker(
    *,
    jobs: options.Jobs = None,
    folder: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER", help="Where recordings and results are, as the server has them."
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="Jobs to do at once.", min=1)
    ] = None,
    model: options.ModelName = None,
    model_dir: options.ModelDir = None,
    language: options.Language = None,
    config: options.ConfigFile = None,
    assignments: options.Assignments = None,
    log_level: options.LogLevelOption = None,
) -> None:
    """Transcribe long recordings that were handed in at a server.

    SIGTERM and Ctrl-C give what is not done back to the queue, then exit with 0.
    """
    settings = options.read_settings(
        config,
        assignments,
        {
            "jobs.backend": jobs,
            "jobs.folder": folder,
            "jobs.workers": workers,
            "model.name": model,
            "model.dir": model_dir,
            "model.languages": language,
            "log.level": log_level,
        },
    )
    import asyncio
    import os

    from wyoming_stt import log
    from wyoming_stt.worker import work

    log.configure(settings.log)
    os.nice(settings.jobs.niceness)
    asyncio.run(work(settings))
