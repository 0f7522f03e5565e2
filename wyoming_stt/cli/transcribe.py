"""`wyoming-stt transcribe`: recordings in, words out."""

import os
from typing import Annotated, Final

import typer

from wyoming_stt.cli import options
from wyoming_stt.cli.choices import LogLevel, OutputFormat, SearchMethod, VoiceDetector

__all__ = ["transcribe"]

PATIENCE_S: Final = 86_400.0
"""A person waits for these files and can interrupt; such limits are for a server."""


def transcribe(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Recordings in any container; - is standard input."),
    ],
    *,
    model: options.ModelName = None,
    model_dir: options.ModelDir = None,
    language: options.Language = None,
    hotwords: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|A,B,C",
            help="Phrases to favour, one a line in FILE or separated by commas; "
            "'kitchen :2.5' gives one a score.",
        ),
    ] = None,
    search: Annotated[
        SearchMethod | None,
        typer.Option(help="How to search; by default beam for hotwords, else greedy."),
    ] = None,
    output: Annotated[
        OutputFormat, typer.Option("--format", help="What to write for each file.")
    ] = OutputFormat.TEXT,
    partials: Annotated[
        bool, typer.Option("--partials", help="Show the words on standard error as they appear.")
    ] = False,
    vad: Annotated[
        VoiceDetector, typer.Option(help="Skip what this voice detector holds for silence.")
    ] = VoiceDetector.OFF,
    jobs: Annotated[
        int, typer.Option(min=1, max=32, help="Files decoded at once.", show_default="cores")
    ] = len(os.sched_getaffinity(0)),
    config: options.ConfigFile = None,
    assignments: options.Assignments = None,
    log_level: options.LogLevelOption = LogLevel.WARNING,
) -> None:
    """Write what is said in recordings.

    Exits with 0 when all files were transcribed, with 1 when one could not be.
    """
    if output in {OutputFormat.SRT, OutputFormat.VTT} and len(files) > 1:
        raise typer.BadParameter(f"--format {output} takes one file at a time")
    settings = options.read_settings(
        config,
        assignments,
        {
            "model.name": model,
            "model.dir": model_dir,
            "model.languages": language,
            "search.hotwords": hotwords,
            "search.method": search,
            "vad.kind": vad,
            "log.level": log_level,
            "engine.workers": jobs,
            "engine.inference_timeout_s": PATIENCE_S,
            "engine.admission_timeout_s": PATIENCE_S,
            # Nobody speaks meanwhile: being slow is no reason to decode worse.
            "degrade.enabled": False,
        },
    )
    import asyncio

    from wyoming_stt import log
    from wyoming_stt.cli.batch import transcribe_all

    log.configure(settings.log)
    if not asyncio.run(transcribe_all(settings, files, output, partials=partials, jobs=jobs)):
        raise typer.Exit(1)
