"""A joint without weights: a frame is its logits, and each context may add its own."""

from collections.abc import Mapping, Sequence

import numpy as np

from wyoming_stt.decoding.joint import Context, Logits

__all__ = ["ScriptedJoint", "frames"]


class ScriptedJoint:
    """Scores frames of width V by themselves, plus `after[context]` where there is such."""

    blank_id = 0
    start: Context = (-1, 0)

    def __init__(
        self, after: Mapping[Context, Sequence[float]] | None = None, *, unk_id: int = -1
    ) -> None:
        self.unk_id = unk_id
        self.contexts: list[Context] = []
        """Every context that was asked for, in order."""
        self._after = after or {}
        self._row = np.empty(0, np.float32)

    def logits(self, frame: Logits, context: Context) -> Logits:
        # One buffer for all calls, as in the real one.
        self._row.resize(len(frame), refcheck=False)
        self._row[:] = self._score(frame, context)
        return self._row

    def logits_batch(self, frame: Logits, contexts: Sequence[Context]) -> Logits:
        return np.stack([self._score(frame, context) for context in contexts])

    def _score(self, frame: Logits, context: Context) -> Logits:
        self.contexts.append(context)
        return frame + np.array(self._after.get(context, 0.0), np.float32)


def frames(*rows: Sequence[float]) -> Logits:
    """Encoder frames with these logits, shape (T, V)."""
    return np.array(rows, np.float32).reshape(len(rows), len(rows[0]) if rows else 0)
