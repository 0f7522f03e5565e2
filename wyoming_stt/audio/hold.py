"""Audio on its way to the model: what waits, and a map of what was left out."""

from bisect import bisect_right

import numpy as np

from wyoming_stt.types import Samples

__all__ = ["Hold"]


class Hold:
    """A queue of samples that can lose its middle, in multiples of `align`, but never its place."""

    def __init__(self, align: int) -> None:
        self._align = align
        self._pieces: list[Samples] = []
        self._waiting = 0
        self._fed = 0
        # From the fed position cuts[i] on, dropped[i] samples of the utterance are missing.
        self._cuts = [0]
        self._dropped = [0]

    def append(self, samples: Samples) -> None:
        """Put samples, shape (N,), behind those that wait."""
        self._pieces.append(samples)
        self._waiting += len(samples)

    def release(self) -> list[Samples]:
        """Return all that waits, in order."""
        pieces, self._pieces = self._pieces, []
        self._fed += self._waiting
        self._waiting = 0
        return pieces

    def trim(self, head: int, tail: int) -> None:
        """Drop what can be dropped, leaving at least the first `head` and last `tail` samples."""
        surplus = self._waiting - head - tail
        drop = surplus - surplus % self._align
        if drop <= 0:
            return
        waiting = np.concatenate(self._pieces)
        self._pieces = [waiting[:head], waiting[head + drop :]]
        self._waiting -= drop
        dropped = self._dropped[-1] + drop
        if self._cuts[-1] == self._fed + head:
            self._dropped[-1] = dropped
        else:
            self._cuts.append(self._fed + head)
            self._dropped.append(dropped)

    def true_position(self, fed_position: int) -> int:
        """Translate a position in what was released to one in what was appended."""
        return fed_position + self._dropped[bisect_right(self._cuts, fed_position) - 1]
