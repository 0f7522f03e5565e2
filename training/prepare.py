"""Stage 1: sample the sentences to speak and learn the word pieces from them.

    python -m training.prepare --sentences 60000

Writes `sentences.tsv` (kind and sentence) and `bpe.model` to the work folder. The same seed gives
the same text. Existing files are kept (a model depends on its word pieces); `--again` writes them
anew.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import sentencepiece
from rich.console import Console
from rich.progress import track

from training.english import EnglishSampler, load_examples, load_words
from training.grammar import CommandSampler
from training.novels import load_books, load_novels
from training.text import spell_number
from training.workspace import Workspace, add_workspace_arguments

__all__ = ["main", "sample_sentences", "train_pieces"]

VOCAB_SIZE = 256
"""Small enough for a cheap joiner, large enough that a word is two pieces."""

MIXTURE = {
    "command": 0.32, "request": 0.20, "english": 0.09, "passage": 0.06, "novel": 0.12, "book": 0.12,
    "salad": 0.07, "number": 0.02,
}  # fmt: skip


def sample_sentences(seed: int, folder: Path) -> Iterator[tuple[str, str]]:
    """Endless (kind, sentence) pairs in the proportions of `MIXTURE`.

    Books come from the texts below `folder`; where there are none, more of the novels do.
    """
    rng = random.Random(seed)
    words = load_words()
    commands, english = CommandSampler(rng, words), EnglishSampler(rng, words, load_examples())
    novels = load_novels()
    books = load_books(folder) or novels
    draw: dict[str, Callable[[], str]] = {
        "command": commands.command,
        "request": commands.request,
        "english": english.sentence,
        "passage": english.passage,
        "novel": lambda: rng.choice(novels),
        "book": lambda: rng.choice(books),
        "salad": english.salad,
        "number": lambda: " ".join(
            spell_number(str(rng.randrange(101)), rng) for _ in range(rng.randint(1, 4))
        ),
    }
    kinds, weights = list(MIXTURE), list(MIXTURE.values())
    while True:
        kind = rng.choices(kinds, weights)[0]
        yield kind, draw[kind]().replace("-", " ")


def train_pieces(sentences: list[str], prefix: str, vocab_size: int = VOCAB_SIZE) -> None:
    """Learn BPE pieces: `<blk>` 0, `<sos/eos>` 1, `<unk>` 2, as icefall numbers them."""
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences),
        model_prefix=prefix,
        vocab_size=vocab_size,
        model_type="bpe",
        character_coverage=1.0,
        user_defined_symbols=["<blk>", "<sos/eos>"],
        unk_id=2,
        bos_id=-1,
        eos_id=-1,
        pad_id=-1,
        minloglevel=2,
    )


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_workspace_arguments(parser)
    parser.add_argument(
        "--sentences", type=int, default=60_000, help="how many to sample (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="seed of the text (default: %(default)s)"
    )
    parser.add_argument("--again", action="store_true", help="overwrite what is there")
    arguments = parser.parse_args()
    work, console = Workspace.of(arguments.work), Console()
    if arguments.again or not work.sentences.exists():
        drawn = islice(sample_sentences(arguments.seed, work.books), arguments.sentences)
        lines = [
            f"{kind}\t{text}\n"
            for kind, text in track(drawn, "sampling text", total=arguments.sentences)
        ]
        work.sentences.write_text("".join(lines), encoding="utf-8")
    if arguments.again or not work.bpe_model.exists():
        text = [
            line.split("\t")[1] for line in work.sentences.read_text(encoding="utf-8").splitlines()
        ]
        train_pieces(text, str(work.bpe_prefix))
    console.print(f"text in {work.sentences}, word pieces in {work.bpe_model}")


if __name__ == "__main__":
    main()
