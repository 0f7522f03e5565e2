"""Stage 7: the figures of an exported model, and the teacher's beside them.

    python -m training.evaluate --model wyoming_stt/builtin/home-en

Words wrong on spoken commands and on read English, coffee orders of which every slot value was
written, clips of noise alone that gave any word, and seconds of computing a second of audio on one
thread. Greedy first, then as the server searches by itself (with the language model, where there is
one), then with the names as hotwords. Only recordings that were never trained on: of `coffee-a` and
the noises, the held-out half. `--rooms` lets all speech be heard across rooms, with held-out noise
of 5 to 20 dB, which is harder.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from training.augment import NoiseBank, is_noise_held_out
from training.listener import Listener
from training.phrases import AREAS, NAMES
from training.recordings import is_held_out, read_audio, read_manifest
from training.rooms import across_rooms
from training.scoring import word_error_rate
from training.text import normalize
from training.workspace import DEFAULT_SPEECH, DEFAULT_TEACHER

__all__ = ["Question", "main", "questions"]

NOISE_CLIPS = 100


@dataclass(frozen=True)
class Question:
    """A set of recordings, hotwords for it, and how its transcripts are judged."""

    title: str
    clips: list[NDArray[np.float32]]
    hotwords: list[str]
    judge: Callable[[list[str]], float]


def questions(speech: Path, *, rooms: bool = False) -> list[Question]:
    """All that is asked of a model; speech as it was recorded, or across `rooms`."""
    names = sorted({*NAMES, *AREAS})
    spoken = [
        _words_wrong(speech / "ha-commands-tts-en", "WER, spoken commands (synthetic)", names),
        _words_wrong(speech / "librispeech-other-a", "WER, people reading English", []),
        _slots_right(speech / "coffee-a"),
    ]
    if rooms:
        bank = NoiseBank.load(speech, held_out=True)
        spoken = [replace(asked, clips=across_rooms(asked.clips, bank)) for asked in spoken]
    return [*spoken, _noise(speech)]


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model", type=Path, default=Path("wyoming_stt/builtin/home-en"), help="exported folder"
    )
    parser.add_argument(
        "--teacher", type=Path, default=DEFAULT_TEACHER, help="folder of the teacher"
    )
    parser.add_argument(
        "--speech", type=Path, default=DEFAULT_SPEECH, help="folder of recorded speech"
    )
    parser.add_argument(
        "--rooms", action="store_true", help="let speech be heard across rooms, with noise"
    )
    parser.add_argument(
        "--show", type=int, default=0, help="transcripts of each set to print (default: none)"
    )
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    if not arguments.model.exists():
        parser.error(f"{arguments.model} is not there: training.export writes one")
    console = Console()
    models = {"home-en": arguments.model, "teacher": arguments.teacher}
    asked = questions(arguments.speech, rooms=arguments.rooms)
    figures: dict[str, dict[str, float]] = {}
    for name, folder in models.items():
        if folder.exists():
            figures[name] = _figures(name, folder, asked, arguments.show, console)
    _print(figures, console)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def _figures(
    name: str, folder: Path, asked: list[Question], show: int, console: Console
) -> dict[str, float]:
    greedy, served, figures = Listener(folder, greedy=True), Listener(folder), {}
    for question in asked:
        for how, listener in (
            ("greedy", greedy),
            ("as served", served),
            ("hotwords", Listener(folder, question.hotwords)),
        ):
            if how == "hotwords" and not question.hotwords:
                continue
            texts = [
                listener.listen(clip)
                for clip in track(question.clips, f"{name}: {question.title} ({how})")
            ]
            figures[f"{question.title}, {how}"] = question.judge(texts)
            for text in texts[:show]:
                console.print("   ", text, style="dim")
    for how, listener in (("greedy", greedy), ("as served", served)):
        figures[f"seconds of computing a second of audio, {how}"] = listener.real_time_factor
    return figures


def _print(figures: dict[str, dict[str, float]], console: Console) -> None:
    table = Table("", *figures)
    for title in next(iter(figures.values())):
        form = "{:.4f}" if title.startswith("seconds") else "{:.1%}"
        table.add_row(title, *(form.format(of[title]) for of in figures.values()))
    console.print(table)


def _words_wrong(folder: Path, title: str, hotwords: list[str]) -> Question:
    recordings = read_manifest(folder)
    references = [normalize(r.transcript) for r in recordings]

    def judge(texts: list[str]) -> float:
        return word_error_rate(zip(references, (normalize(t) for t in texts), strict=True))

    return Question(title, [read_audio(r.path) for r in recordings], hotwords, judge)


def _slots_right(folder: Path) -> Question:
    recordings = [r for r in read_manifest(folder) if is_held_out(r.path)]
    wanted = [[normalize(v) for v in _slot_values(r.transcript)] for r in recordings]

    def judge(texts: list[str]) -> float:
        heard = [f" {normalize(text)} " for text in texts]
        return float(
            np.mean([all(f" {v} " in h for v in vs) for vs, h in zip(wanted, heard, strict=True)])
        )

    hotwords = sorted({value for values in wanted for value in values})
    clips = [read_audio(r.path) for r in recordings]
    return Question("coffee orders with every slot value right", clips, hotwords, judge)


def _slot_values(transcript: str) -> Iterable[str]:
    return [str(value) for value in json.loads(transcript)["slots"].values()]


def _noise(speech: Path) -> Question:
    paths = [
        p for p in sorted(speech.glob("noise-*/*")) if p.suffix != ".tsv" and is_noise_held_out(p)
    ]
    clips = [
        read_audio(p)[: 16000 * 10]
        for p in paths[:: max(1, len(paths) // NOISE_CLIPS)][:NOISE_CLIPS]
    ]

    def judge(texts: list[str]) -> float:
        return float(np.mean([bool(re.search(r"\w", text)) for text in texts]))

    return Question("noise alone that gave a word", clips, [], judge)


if __name__ == "__main__":
    main()
