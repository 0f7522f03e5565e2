"""Recordings as they are heard across a room, for figures that are closer to a home's.

The noises are those that nothing was trained on; of rooms there are too few to hold any out.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from training.augment import NoiseBank, unit_power

__all__ = ["SNR_DB", "across_rooms"]

SNR_DB = (5.0, 20.0)
"""Of speech over noise."""
ROOM_SAMPLES = 8000


def across_rooms(
    clips: Iterable[NDArray[np.float32]], bank: NoiseBank, seed: int = 1
) -> list[NDArray[np.float32]]:
    """Each clip in a room of the bank and with a noise of it, both drawn; as long and as loud."""
    rng = np.random.default_rng(seed)
    return [_across(clip, bank, rng) for clip in clips]


def _across(
    clip: NDArray[np.float32], bank: NoiseBank, rng: np.random.Generator
) -> NDArray[np.float32]:
    room = bank.rooms[rng.integers(len(bank.rooms))][:ROOM_SAMPLES]
    noise = bank.noise[rng.integers(len(bank.noise))]
    noise = np.resize(np.roll(noise, int(rng.integers(len(noise)))), len(clip))
    speech = unit_power(np.convolve(clip, room)[: len(clip)])
    heard = speech + unit_power(noise) * 10 ** (-rng.uniform(*SNR_DB) / 20)
    return (heard * np.sqrt(np.mean(clip**2))).astype(np.float32)
