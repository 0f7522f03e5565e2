"""The part of a transducer that a search sees: contexts and encoder frames in, logits out."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Context", "Joint", "Logits", "log_softmax"]

Logits = NDArray[np.float32]
Context = tuple[int, ...]
"""The last token ids, as many as the predictor looks at; -1 and the blank before the first."""


class Joint(Protocol):
    """Predictor and joiner of one utterance. Not thread-safe."""

    @property
    def blank_id(self) -> int:
        """Token id of the blank."""
        ...

    @property
    def unk_id(self) -> int:
        """Token id of `<unk>`, which is treated as blank; -1 where there is none."""
        ...

    @property
    def start(self) -> Context:
        """The context before the first token."""
        ...

    def logits(self, frame: Logits, context: Context) -> Logits:
        """Score one frame, shape (D,), for one context; (V,), overwritten by the next call."""
        ...

    def logits_batch(self, frame: Logits, contexts: Sequence[Context]) -> Logits:
        """Score one frame for H contexts at once; a new array of shape (H, V)."""
        ...


def log_softmax(logits: Logits, axis: int = -1) -> Logits:
    """Normalise logits to log-probabilities along an axis."""
    shifted = logits - logits.max(axis=axis, keepdims=True)
    normalised: Logits = shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    return normalised
