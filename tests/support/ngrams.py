"""A language model of a handful of tokens, written by hand."""

from pathlib import Path

import numpy as np

__all__ = ["write_bigrams"]

VOCAB = 4
BOUNDARY = 1


def write_bigrams(path: Path, **changed: np.ndarray) -> Path:
    """After 2 comes 3 (probability 1/e); else 0 to 3 have probabilities of 1/e, ..., 1/e**4.

    What does not come after 2 is worth 1/e**2 of that.
    """
    arrays = {
        "boundary": np.array(BOUNDARY),
        "costs0": np.array([16, 32, 48, 64], np.uint8),
        "contexts1": np.array([2], np.uint64),
        "ends1": np.array([1], np.uint32),
        "tokens1": np.array([3], np.uint16),
        "costs1": np.array([16], np.uint8),
        "backoffs1": np.array([-32], np.int8),
    }
    np.savez_compressed(path, **(arrays | changed))
    return path
