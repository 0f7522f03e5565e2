import random
from pathlib import Path

import numpy as np

from training.language_model import count, perplexity, write_ngrams
from wyoming_stt.decoding.ngram import NgramModel

VOCAB = 8


def sentences(count: int, seed: int) -> list[list[int]]:
    """2 3 4 and 5 3 6: what comes after 3 depends on what came before it; and noise."""
    rng = random.Random(seed)
    told = ([2, 3, 4], [5, 3, 6], [7])
    return [rng.choice((*told, [rng.randrange(2, VOCAB) for _ in range(4)])) for _ in range(count)]


def model(path: Path, threshold: float = 0.0, context: int = 3) -> tuple[NgramModel, int]:
    kept = write_ngrams(path, count(sentences(500, 1), context), VOCAB, threshold)
    return NgramModel(path, VOCAB), kept


def test_what_was_counted_is_expected(tmp_path: Path) -> None:
    found, _ = model(tmp_path / "lm.npz")
    assert found.after((2, 3)).argmax() == 4
    assert found.after((5, 3)).argmax() == 6
    assert set(np.argsort(found.after(()))[-3:]) >= {2, 5, 7}


def test_probabilities_add_up(tmp_path: Path) -> None:
    found, _ = model(tmp_path / "lm.npz")
    for seen in ((), (2,), (2, 3), (6, 6), (5, 3, 6)):
        assert np.isclose(np.exp(found.after(seen)).sum(), 1, atol=0.04)


def test_a_longer_context_guesses_better(tmp_path: Path) -> None:
    unheard = sentences(200, 2)
    short, long = (model(tmp_path / f"{n}.npz", context=n)[0] for n in (1, 3))
    assert perplexity(long, unheard) < perplexity(short, unheard) < VOCAB


def test_what_says_little_is_left_out(tmp_path: Path) -> None:
    whole, kept_all = model(tmp_path / "all.npz")
    pruned, kept_some = model(tmp_path / "some.npz", threshold=0.01)
    assert 0 < kept_some < kept_all
    assert perplexity(pruned, sentences(200, 2)) < 1.1 * perplexity(whole, sentences(200, 2))
