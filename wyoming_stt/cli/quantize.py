"""`wyoming-stt quantize`: a model's folder in, a smaller one out."""

import asyncio
import json
from collections.abc import Sequence
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
    rates = {}
    if references:
        rates = {
            "wer_before": asyncio.run(_word_error_rate(settings, source, references)),
            "wer_after": asyncio.run(_word_error_rate(settings, target, references)),
        }
    if as_json:
        sizes = [
            {"name": f.name, "bytes_before": f.bytes_before, "bytes_after": f.bytes_after}
            for f in files
        ]
        typer.echo(json.dumps({"folder": str(target), "files": sizes, **rates}))
        return
    for file in files:
        change = f"{file.bytes_before:>12} -> {file.bytes_after:>12} bytes"
        typer.echo(f"{file.name:32} {change}")
    if rates:
        typer.echo(
            f"Word error rate {rates['wer_before']:.2%} -> {rates['wer_after']:.2%} "
            f"on {len(references)} recordings"
        )


async def _word_error_rate(
    settings: "Settings", folder: Path, references: Sequence["Reference"]
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
    errors = 0
    await engine.start()
    try:
        await engine.ready()
        for reference in references:
            heard = await transcribe_file(engine, str(reference.file), utterance, lambda *_: None)
            errors += word_errors(reference.words, words(heard.transcript.text))
    finally:
        await engine.close()
    return errors / sum(len(reference.words) for reference in references)
