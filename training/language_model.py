"""Stage 5: a small language model of the word pieces, for the beam search of the server.

    python -m training.language_model

Counts the word pieces of freshly sampled sentences and writes `lm.npz`, which `export` puts beside
the network. Interpolated absolute discounting (Ney, Essen and Kneser, 1994); n-grams that say
little more than a shorter context does are left out (Stolcke, 1998).
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import sentencepiece
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from training.prepare import sample_sentences
from training.workspace import Workspace, add_workspace_arguments
from wyoming_stt.decoding.ngram import COST_STEPS, NgramModel

__all__ = ["count", "main", "perplexity", "write_ngrams"]

CONTEXT = 3
"""Word pieces that the next one is guessed from."""
BOUNDARY = 1
"""Before the first word piece and after the last one: `<sos/eos>`."""
DISCOUNT = 0.8
SEED = 1_000_003
"""Of sentences that are not those of `prepare`."""

Counts = list[dict[tuple[int, ...], Counter[int]]]
"""For each length of a context, what followed each how often."""


def count(sentences: Iterable[Sequence[int]], context: int = CONTEXT) -> Counts:
    """Count what follows contexts of up to `context` tokens; a sentence begins with BOUNDARY."""
    counts: Counts = [defaultdict(Counter) for _ in range(context + 1)]
    for sentence in sentences:
        tokens = (BOUNDARY, *sentence, BOUNDARY)
        for i in range(1, len(tokens)):
            for length in range(min(i, context) + 1):
                counts[length][tokens[i - length : i]][tokens[i]] += 1
    return counts


def write_ngrams(path: Path, counts: Counts, vocab_size: int, threshold: float) -> int:
    """Write the model; returns the number of its n-grams.

    Args:
        path: Of the file.
        counts: From `count`.
        vocab_size: Tokens there are.
        threshold: An n-gram that would be worth less, in nats a token of the text, is left out.
    """
    total = sum(counts[0][()].values())
    base = np.full(vocab_size, 0.5)
    for token, number in counts[0][()].items():
        base[token] += number
    shorter = {(): np.log(base / base.sum())}
    arrays = {"boundary": np.array(BOUNDARY), "costs0": _steps(-shorter[()], np.uint8)}
    kept = 0
    for length in range(1, len(counts)):
        longer: dict[tuple[int, ...], NDArray[np.float64]] = {}
        rows = []
        for context in sorted(counts[length]):
            followers = counts[length][context]
            lower = shorter[_suffix(context, shorter)]
            tokens = np.fromiter(followers, np.int64, len(followers))
            numbers = np.fromiter(followers.values(), np.float64, len(followers))
            full = lower + np.log(DISCOUNT * len(tokens) / numbers.sum())
            higher = np.logaddexp(
                np.log(np.maximum(numbers - DISCOUNT, 1e-9) / numbers.sum()), full[tokens]
            )
            keep = numbers / total * (higher - full[tokens]) > threshold
            if keep.any():
                tokens, higher = tokens[keep], higher[keep]
                left = 1 - np.exp(higher).sum()
                backoff = np.log(max(left, 1e-6) / max(1 - np.exp(lower[tokens]).sum(), 1e-6))
                vector = lower + backoff
                vector[tokens] = higher
                longer[context] = vector
                rows.append((context, tokens, higher, backoff))
        kept += sum(len(row[1]) for row in rows)
        arrays |= _arrays(length, rows, vocab_size)
        shorter |= longer
    np.savez_compressed(path, **arrays)
    return kept


def perplexity(model: NgramModel, sentences: Iterable[Sequence[int]]) -> float:
    """Of a token, in the mean."""
    log_probs = [
        model.after(tuple(sentence[:i]))[token]
        for sentence in sentences
        for i, token in enumerate((*sentence, BOUNDARY))
    ]
    return float(np.exp(-np.mean(log_probs)))


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_workspace_arguments(parser)
    parser.add_argument(
        "--sentences", type=int, default=400_000, help="to count (default: %(default)s)"
    )
    parser.add_argument(
        "--threshold",
        type=float,
        default=1e-5,
        help="least use of an n-gram, in nats a token (default: %(default)s)",
    )
    arguments = parser.parse_args()
    work = Workspace.of(arguments.work)
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(work.bpe_model))
    drawn = (pieces.encode(text) for _, text in sample_sentences(SEED, work.books))
    unheard = list(islice(drawn, 2_000))
    counts = count(track(islice(drawn, arguments.sentences), "counting", arguments.sentences))
    kept = write_ngrams(work.language_model, counts, pieces.vocab_size(), arguments.threshold)
    model = NgramModel(work.language_model, pieces.vocab_size())
    Console().print(
        f"{kept} n-grams, {work.language_model.stat().st_size / 1e6:.2f} MB, perplexity of a word "
        f"piece {perplexity(model, unheard):.1f}: {work.language_model}"
    )


def _suffix(
    context: tuple[int, ...], known: dict[tuple[int, ...], NDArray[np.float64]]
) -> tuple[int, ...]:
    """The longest known context that this one ends with, itself excepted."""
    context = context[1:]
    while context not in known:
        context = context[1:]
    return context


def _arrays(
    length: int,
    rows: list[tuple[tuple[int, ...], NDArray[np.int64], NDArray[np.float64], float]],
    vocab_size: int,
) -> dict[str, NDArray[np.generic]]:
    keys = [sum(t * vocab_size ** (length - 1 - i) for i, t in enumerate(row[0])) for row in rows]
    costs = np.concatenate([-row[2] for row in rows]) if rows else np.zeros(0)
    tokens = np.concatenate([row[1] for row in rows]) if rows else np.zeros(0)
    return {
        f"contexts{length}": np.array(keys, np.uint64),
        f"ends{length}": np.cumsum([len(row[1]) for row in rows]).astype(np.uint32),
        f"tokens{length}": tokens.astype(np.uint16),
        f"costs{length}": _steps(costs, np.uint8),
        f"backoffs{length}": _steps(np.array([row[3] for row in rows]), np.int8),
    }


def _steps(nats: NDArray[np.float64], kind: type[np.integer]) -> NDArray[np.integer]:
    bounds = np.iinfo(kind)
    return np.clip(np.round(nats * COST_STEPS), bounds.min, bounds.max).astype(kind)


if __name__ == "__main__":
    main()
