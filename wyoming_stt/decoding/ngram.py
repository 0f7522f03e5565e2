"""A language model of a model's own tokens, for beam search: how likely each is to come next.

Back-off n-grams (Katz, 1987) in a file of NumPy arrays, `lm.npz`, which `training.language_model`
writes. For every length n of a context from 1 on, the contexts that were seen, the tokens that
followed each, and what a token that did not follow is worth:

    contexts<n>   (C,)  uint64   the n tokens as digits of a number to the base V, ascending
    ends<n>       (C,)  uint32   where the tokens of each context end
    tokens<n>     (E,)  uint16
    costs<n>      (E,)  uint8    negative log-probability in sixteenths of a nat
    backoffs<n>   (C,)  int8     log of the factor of the shorter context, in sixteenths of a nat

and `costs0` (V,) uint8 without a context, and `boundary` () the token that stands before the first.
"""

import zipfile
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wyoming_stt.decoding.joint import Logits
from wyoming_stt.errors import ModelFileError

__all__ = ["COST_STEPS", "NgramModel"]

COST_STEPS: Final = 16
"""Of a nat."""
MAX_CONTEXT: Final = 7

_Table = tuple[NDArray[np.uint64], NDArray[np.uint32], NDArray[np.uint16], Logits, Logits]


class NgramModel:
    """Read once, shared by all searches of a model.

    Raises:
        ModelFileError: the file is damaged, or for another vocabulary.
    """

    def __init__(self, path: Path, vocab_size: int) -> None:
        self._vocab_size = vocab_size
        try:
            with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                self._unigrams = -_nats(file["costs0"])
                self._boundary = int(file["boundary"])
                lengths = range(1, MAX_CONTEXT + 1)
                self._tables = [_table(file, n) for n in lengths if f"contexts{n}" in file]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise ModelFileError(path, "an n-gram model", str(error)) from error
        self._check(path)

    @property
    def max_context(self) -> int:
        """How many tokens the next one depends on."""
        return len(self._tables)

    def after(self, token_ids: tuple[int, ...]) -> Logits:
        """Log-probability of each token after the first ones of a sentence, (V,), in nats."""
        context = (self._boundary, *token_ids)[-self.max_context :]
        log_probs = self._unigrams.copy()
        key, place = 0, 1
        for token, (contexts, ends, tokens, costs, backoffs) in zip(
            reversed(context), self._tables, strict=False
        ):
            key += token * place
            place *= self._vocab_size
            at = int(contexts.searchsorted(np.uint64(key)))
            if at < len(contexts) and contexts[at] == key:
                span = slice(int(ends[at - 1]) if at else 0, int(ends[at]))
                log_probs += backoffs[at]
                log_probs[tokens[span]] = -costs[span]
        return log_probs

    def _check(self, path: Path) -> None:
        size = self._vocab_size
        if self._unigrams.shape != (size,):
            raise ModelFileError(path, f"{size} tokens", f"{self._unigrams.shape}")
        for contexts, ends, tokens, costs, backoffs in self._tables:
            is_whole = (
                len(contexts) == len(ends) == len(backoffs)
                and len(tokens) == len(costs) == (int(ends[-1]) if len(ends) else 0)
                and bool((np.diff(ends.astype(np.int64)) > 0).all())
                and bool((tokens < size).all())
            )
            if not is_whole:
                raise ModelFileError(path, "an n-gram model", "arrays that do not fit together")


def _table(file: "np.lib.npyio.NpzFile", length: int) -> _Table:
    names = ("contexts", "ends", "tokens", "costs", "backoffs")
    contexts, ends, tokens, costs, backoffs = (file[f"{name}{length}"] for name in names)
    return contexts, ends, tokens, _nats(costs), _nats(backoffs)


def _nats(steps: NDArray[np.int8] | NDArray[np.uint8]) -> Logits:
    return (steps / np.float32(COST_STEPS)).astype(np.float32)
