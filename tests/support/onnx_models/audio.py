"""Sound with the liveliness of speech, made from nothing, where no recordings lie about."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["speechlike"]

RATE: Final = 16_000
HARMONICS: Final = np.arange(1, 30)
LEVEL: Final = 0.25
FLOOR: Final = 1e-3
"""Amplitudes of the loudest syllable and of the noise behind it."""


def speechlike(seconds: float, seed: int = 0) -> NDArray[np.float32]:
    """Babble in syllables with a pause now and then: (N,) samples in [-1, 1] at 16 kHz."""
    rng = np.random.default_rng(seed)
    total = round(seconds * RATE)
    samples = rng.normal(0.0, FLOOR, total)
    start = RATE // 10
    while start < total:
        syllable = _syllable(rng)[: total - start]
        samples[start : start + len(syllable)] += syllable
        start += len(syllable) + (rng.random() < 0.15) * int(rng.uniform(0.15, 0.5) * RATE)
    return np.clip(samples, -1.0, 1.0).astype(np.float32)


def _syllable(rng: np.random.Generator) -> NDArray[np.float64]:
    """A hiss, then a gliding tone under two formants."""
    hiss = rng.normal(0.0, 0.1, int(rng.uniform(0.02, 0.08) * RATE))
    hiss = np.convolve(hiss, (1.0, rng.uniform(-1.0, 1.0)), mode="same")
    steps = int(rng.uniform(0.08, 0.22) * RATE)
    pitch = np.linspace(*rng.uniform(90.0, 240.0, 2), steps)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    frequencies = HARMONICS * pitch.mean()
    formants = rng.uniform((250.0, 900.0), (900.0, 2800.0))
    gains = np.exp(-0.5 * ((frequencies[:, None] - formants) / 180.0) ** 2).sum(axis=1) + 0.02
    voiced = gains @ np.sin(HARMONICS[:, None] * phase) * np.hanning(steps)
    return LEVEL * rng.uniform(0.4, 1.0) * np.concatenate([hiss, voiced / gains.sum() ** 0.5])
