"""Speech that nobody said: the beginning of one utterance and the end of another.

A few hours of people are learned by heart, whole sentences of them, and what follows is guessed
from what came before. Spliced at pauses and other quiet places between words, the same hours make
sentences without end, with words, labels and the teacher's frames that still belong together (Lam
et al., "On-the-Fly Aligned Data Augmentation", 2021, who replace single words).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["FRAME_SAMPLES", "Take", "splice"]

FRAME_SAMPLES = 640
"""Of a frame of 40 ms, in which cuts and the teacher count."""
FADE_SAMPLES = 64
LOUDEST = 10.0
"""A part is made at most so many times louder or quieter, to be as loud as the other."""


class Take(NamedTuple):
    """An utterance in training: samples in [-1, 1], the teacher's frames if any, words, cuts."""

    wave: NDArray[np.float32]
    teacher: NDArray[np.float32]
    words: list[str]
    cuts: NDArray[np.int64]
    """Rows of (frame, words before it)."""
    is_understood: bool = False
    """Whether the teacher wrote about these words."""


def splice(head: Take, tail: Take, rng: np.random.Generator, longest: int) -> Take:
    """Join the beginning of `head` and the end of `tail`, cut at random.

    Args:
        head: Where it begins.
        tail: Where it goes on; another voice as a rule.
        rng: Draws the cuts.
        longest: Samples of the result at most.

    Returns:
        The joint, or `head` as it is where no cuts of both fit together.
    """
    if not (len(head.cuts) and len(tail.cuts)):
        return head
    first, said = (int(x) for x in rng.choice(head.cuts))
    rest = len(tail.wave) // FRAME_SAMPLES - tail.cuts[:, 0]
    fitting = tail.cuts[(first + rest + 1) * FRAME_SAMPLES <= longest]
    if not len(fitting):
        return head
    second, unsaid = (int(x) for x in rng.choice(fitting))
    before, after = head.wave[: first * FRAME_SAMPLES], tail.wave[second * FRAME_SAMPLES :]
    louder = np.clip(_loudness(head.wave) / _loudness(tail.wave), 1 / LOUDEST, LOUDEST)
    fade = np.linspace(0, 1, FADE_SAMPLES, dtype=np.float32)
    before = np.concatenate([before[:-FADE_SAMPLES], before[-FADE_SAMPLES:] * fade[::-1]])
    after = np.concatenate([after[:FADE_SAMPLES] * fade, after[FADE_SAMPLES:]]) * louder
    moved = tail.cuts[tail.cuts[:, 0] > second] + [first - second, said - unsaid]
    is_taught = len(head.teacher) and len(tail.teacher)
    parts = [head.teacher[:first], tail.teacher[second:]] if is_taught else [head.teacher[:0]]
    return Take(
        np.concatenate([before, after], dtype=np.float32),
        np.concatenate(parts),
        head.words[:said] + tail.words[unsaid:],
        np.concatenate([head.cuts[head.cuts[:, 0] < first], moved]),
        head.is_understood and tail.is_understood,
    )


def _loudness(wave: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(wave**2)) + 1e-6)
