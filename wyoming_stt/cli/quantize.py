"""`wyoming-stt quantize`: a model's folder in, a smaller one out."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wyoming_stt.cli import options

if TYPE_CHECKING:
    from wyoming_stt.accuracy import Reference
    from wyoming_stt.settings import Settings

__all__ = ["quantize"]


def quantize(
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", help="Folder of a transducer in float.")
    ],
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="Folder to make.")],
    *,
    manifest: Annotated[
        Path | None,
        typer.Option(
            "--manifest",
            metavar="FILE",
            help="Table of recordings to compare both on: columns file and transcript, "
            "separated by tabs.",
        ),
    ] = None,
    reduce_range: Annotated[
        bool, typer.Option("--reduce-range", help="7 bits, for x86 processors without VNNI.")
    ] = False,
    language: options.Language = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON object.")] = False,
    config: options.ConfigFile = None,
) -> None:
    """Store the weights of matrix products as 8-bit integers.

    Prints the sizes before and after, and with a manifest the word error rates. Nothing is
    overwritten.
    """
    from wyoming_stt.accuracy import read_manifest
    from wyoming_stt.quantize import quantize as quantize_folder

    settings = options.read_settings(config, (), {"model.languages": language})
    references = read_manifest(manifest) if manifest else []
    files = quantize_folder(source, target, reduce_range=reduce_range)
    if not as_json:
        for file in files:
            change = f"{file.bytes_before:>12} -> {file.bytes_after:>12} bytes"
            typer.echo(f"{file.name:32} {change}")
    rates = {}
    if references:
        before, after = (_rate(settings, folder, references) for folder in (source, target))
        rates = {"wer_before": before, "wer_after": after}
    if as_json:
        sizes = [
            {"name": f.name, "bytes_before": f.bytes_before, "bytes_after": f.bytes_after}
            for f in files
        ]
        typer.echo(json.dumps({"folder": str(target), "files": sizes, **rates}))
    elif rates:
        typer.echo(f"Word error rate {before:.2%} -> {after:.2%} on {len(references)} recordings")


def _rate(settings: "Settings", folder: Path, references: Sequence["Reference"]) -> float:
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    heard = track(
        references, folder.name, console=console, transient=True, disable=not console.is_terminal
    )
    return asyncio.run(_word_error_rate(settings, folder, heard))


async def _word_error_rate(
    settings: "Settings", folder: Path, references: Iterable["Reference"]
) -> float:
    """Decode all recordings with a model.

    Raises:
        SttError: the model or a recording cannot be used.
    """
    from dataclasses import replace
    from functools import partial

    from wyoming_stt.accuracy import word_errors, words
    from wyoming_stt.cli.recording import transcribe_file
    from wyoming_stt.engine import Engine, ModelSource
    from wyoming_stt.models.registry import load_model
    from wyoming_stt.session import UtteranceOptions

    languages = settings.model.languages or ("en",)
    load = partial(load_model, folder, languages=languages, options=settings.ort)
    utterance = UtteranceOptions(search=settings.search, vad=replace(settings.vad, kind="off"))
    # An engine without a fallback: nothing else may be measured in this model's place.
    engine = Engine(ModelSource(folder.name, load), settings.engine)
    errors = said = 0
    await engine.start()
    try:
        await engine.ready()
        for reference in references:
            heard = await transcribe_file(engine, str(reference.file), utterance, lambda *_: None)
            errors += word_errors(reference.words, words(heard.transcript.text))
            said += len(reference.words)
    finally:
        await engine.close()
    return errors / said
