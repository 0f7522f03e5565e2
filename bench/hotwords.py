"""What hotwords gain where they are said, and what they cost where they are not.

    python -m bench.hotwords --model-dir DIR --said FOLDER --unsaid FOLDER

`--said` holds recordings whose transcripts are JSON with slot values (all of them become hotwords);
`--unsaid` holds others, with verbatim transcripts, in which no hotword is spoken. Printed for each
search: the share of the first whose slot values are all heard, and the word error rate of the
second, without and with the hotwords.
"""

import argparse
import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import soundfile

from wyoming_stt.decoding.options import Hotword, SearchOptions
from wyoming_stt.models.base import Recognizer
from wyoming_stt.models.registry import load_model
from wyoming_stt.types import Samples


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model-dir", type=Path, required=True)
    parser.add_argument("--said", type=Path, required=True)
    parser.add_argument("--unsaid", type=Path, required=True)
    parser.add_argument("--most", type=int, default=160, help="recordings of each folder")
    arguments = parser.parse_args()

    recognizer = load_model(arguments.model_dir, languages=["en"])
    said = [(samples, slots(text)) for samples, text in read(arguments.said, arguments.most)]
    unsaid = read(arguments.unsaid, arguments.most)
    hotwords = tuple(map(Hotword, sorted({value for _, values in said for value in values})))
    print(f"{len(said)} recordings with {len(hotwords)} hotwords, {len(unsaid)} without any")
    print("| search | score | all slot values heard | WER where none is said |")
    print("| --- | --- | --- | --- |")
    for method in ("greedy", "beam"):
        plain = SearchOptions(method=method)
        report(recognizer, plain, "-", said, unsaid)
        for score in (1.0, 1.5, 2.0, 3.0):
            boosted = replace(plain, hotwords=hotwords, hotwords_score=score)
            report(recognizer, boosted, f"{score:g}", said, unsaid)


def report(
    recognizer: Recognizer,
    options: SearchOptions,
    score: str,
    said: Sequence[tuple[Samples, list[str]]],
    unsaid: Sequence[tuple[Samples, str]],
) -> None:
    heard = sum(
        all(
            f" {value.upper()} " in f" {transcribe(recognizer, options, samples)} "
            for value in values
        )
        for samples, values in said
    )
    errors = words = 0
    for samples, text in unsaid:
        reference = text.upper().split()
        errors += distance(reference, transcribe(recognizer, options, samples).split())
        words += len(reference)
    share = heard / len(said)
    print(f"| {options.method} | {score} | {share:.1%} | {errors / words:.1%} |", flush=True)


def transcribe(recognizer: Recognizer, options: SearchOptions, samples: Samples) -> str:
    stream = recognizer.open(options)
    stream.push(samples)
    return recognizer.tokens.decode(stream.finish().token_ids)


def read(folder: Path, most: int) -> list[tuple[Samples, str]]:
    with (folder / "manifest.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[:most]
    return [
        (soundfile.read(folder / row["file"], dtype="float32")[0], row["transcript"])
        for row in rows
    ]


def slots(transcript: str) -> list[str]:
    return [value.strip() for value in json.loads(transcript)["slots"].values()]


def distance(reference: Sequence[str], hypothesis: Sequence[str]) -> int:
    """Word errors: substitutions, insertions and deletions (Levenshtein)."""
    row = list(range(len(hypothesis) + 1))
    for i, expected in enumerate(reference, 1):
        diagonal, row[0] = row[0], i
        for j, found in enumerate(hypothesis, 1):
            cost = diagonal + (expected != found)
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, cost)
    return row[-1]


if __name__ == "__main__":
    main()
