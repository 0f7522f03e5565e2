"""The few types that every layer shares."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["SAMPLE_RATE", "Features", "Samples", "seconds"]

SAMPLE_RATE: Final = 16_000
"""Hz. Everything above `audio.resample` is mono at this rate; every position counts its samples."""

Samples = NDArray[np.float32]
"""Mono audio in [-1, 1], shape (N,), at `SAMPLE_RATE`."""

Features = NDArray[np.float32]
"""Feature frames, one every 10 ms, shape (T, C)."""


def seconds(position: int) -> float:
    """Turn a sample position into seconds, for a wire format or a reader."""
    return position / SAMPLE_RATE
