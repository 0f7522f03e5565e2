"""Stage 2: speak the sampled sentences with free synthesizers.

    nice -n 19 python -m training.synthesize --jobs 2

Writes shards of 1,000 utterances (about 0.8 h) named `tts-NNN`; shards that are there are kept, so
it can be stopped and started at will. One core speaks 15 to 30 utterances a second.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from rich.progress import track

from training.shards import Utterance, write_shard
from training.voices import DEBIAN, ENGINES, SynthesisError, speak
from training.workspace import Workspace, add_workspace_arguments

__all__ = ["main", "synthesize_shard"]

SHARD_SIZE = 1000


def synthesize_shard(
    folder: Path,
    sentences: list[tuple[str, str]],
    seed: int,
    language: str = "en",
    engines: Sequence[str] = DEBIAN,
) -> int:
    """Speak the (kind, sentence) pairs into one shard; returns how many were spoken."""
    utterances = list(_spoken(sentences, random.Random(seed), language, engines))
    write_shard(folder, utterances)
    return len(utterances)


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_workspace_arguments(parser)
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: %(default)s)")
    parser.add_argument(
        "--shards", type=int, default=30, help="how many shards (default: %(default)s)"
    )
    parser.add_argument(
        "--first", type=int, default=0, help="number of the first one (default: %(default)s)"
    )
    parser.add_argument("--kinds", nargs="+", help="of sentences (default: all)")
    parser.add_argument(
        "--engines",
        nargs="+",
        choices=ENGINES,
        default=DEBIAN,
        help="what speaks (default: those of Debian)",
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="seed of the voices (default: %(default)s)"
    )
    arguments = parser.parse_args()
    work = Workspace.of(arguments.work)
    lines = work.sentences.read_text(encoding="utf-8").splitlines()
    pairs = [
        (kind, text)
        for kind, text in (line.split("\t") for line in lines)
        if not arguments.kinds or kind in arguments.kinds
    ]
    if not pairs:
        parser.error(f"no sentence of these kinds in {work.sentences}: see its first column")
    with ProcessPoolExecutor(arguments.jobs) as pool:
        running = []
        for number in range(arguments.first, arguments.first + arguments.shards):
            folder = work.shards / f"tts-{number:03d}"
            if not folder.exists():
                span = range(number * SHARD_SIZE, (number + 1) * SHARD_SIZE)
                part = [pairs[i % len(pairs)] for i in span]  # round and round
                running.append(
                    pool.submit(
                        synthesize_shard,
                        folder,
                        part,
                        arguments.seed * 100_000 + number,
                        engines=arguments.engines,
                    )
                )
        for done in track(as_completed(running), "speaking", total=len(running)):
            done.result()


def _spoken(
    sentences: list[tuple[str, str]], rng: random.Random, language: str, engines: Sequence[str]
) -> Iterator[Utterance]:
    for kind, text in sentences:
        try:
            voice, audio = speak(text, rng, language, engines)
        except SynthesisError:
            continue
        yield Utterance(text, kind, voice, audio)


if __name__ == "__main__":
    main()
