"""Modified beam search, as in icefall and sherpa-onnx: several paths, one symbol a frame each.

Hotwords and a language model of tokens add to the scores of symbols that are not blank (shallow
fusion: Gülçehre et al., 2015).
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np

from wyoming_stt.decoding.context_graph import ContextGraph, ContextState
from wyoming_stt.decoding.hypothesis import Hypothesis
from wyoming_stt.decoding.joint import Joint, Logits, log_softmax
from wyoming_stt.decoding.ngram import NgramModel

__all__ = ["BeamSearch", "Fusion"]

_CACHED_GAINS: Final = 4096
"""Contexts whose gains are kept: 4 MB for 256 tokens."""


class Fusion:
    """A language model's say in the searches of a model; what it has once said is kept.

    Args:
        model: Knows how likely each token is to come next.
        scale: Of its log-probabilities.
        bonus: Added for each token, so that a path of more tokens is as good as one of fewer.
        silent: Tokens that write nothing, of which it says nothing.
    """

    def __init__(
        self, model: NgramModel, *, scale: float, bonus: float, silent: tuple[int, ...]
    ) -> None:
        self._model = model
        self._scale, self._bonus = np.float32(scale), np.float32(bonus)
        self._silent = list(silent)
        self._kept = lru_cache(_CACHED_GAINS)(self._gains)

    def gains(self, token_ids: tuple[int, ...]) -> Logits:
        """What each token gains after these, (V,); the array is shared and not to be changed."""
        return self._kept(token_ids[-self._model.max_context :])

    def _gains(self, token_ids: tuple[int, ...]) -> Logits:
        gains = self._scale * self._model.after(token_ids) + self._bonus
        gains[self._silent] = 0.0
        return gains


@dataclass(frozen=True, slots=True)
class _Path:
    """One token sequence; paths with the same tokens are one path."""

    log_prob: float = 0.0
    token_ids: tuple[int, ...] = ()
    frames: tuple[int, ...] = ()
    log_probs: tuple[float, ...] = ()
    state: ContextState | None = None


class BeamSearch:
    """Keeps up to `max_active_paths` token sequences, merging equal ones by log-add."""

    def __init__(
        self,
        joint: Joint,
        *,
        max_active_paths: int,
        blank_penalty: float,
        graph: ContextGraph | None,
        fusion: Fusion | None = None,
    ) -> None:
        self._joint = joint
        self._fusion = fusion
        self._max_active_paths = max_active_paths
        self._blank_penalty = blank_penalty
        self._graph = graph
        self._paths = [_Path(state=graph.root if graph is not None else None)]
        self._num_frames = 0

    def fork(self, joint: Joint) -> "BeamSearch":
        """Copy the paths; the copy scores with its own `joint`."""
        copy = BeamSearch(
            joint,
            max_active_paths=self._max_active_paths,
            blank_penalty=self._blank_penalty,
            graph=self._graph,
            fusion=self._fusion,
        )
        copy._paths = self._paths.copy()
        copy._num_frames = self._num_frames
        return copy

    def advance(self, encoder_out: Logits) -> None:
        """Search through encoder frames, shape (T, D)."""
        for frame in encoder_out:
            self._paths = self._step(frame)
            self._num_frames += 1

    def finish(self) -> None:
        """Take back the boosts of phrases that were begun and not completed."""
        self._paths = [
            replace(path, log_prob=path.log_prob - path.state.node_score, state=None)
            if path.state is not None
            else path
            for path in self._paths
        ]

    def hypothesis(self) -> Hypothesis:
        """Return the best path, by log-probability a token (sherpa-onnx counts the context too)."""
        start = len(self._joint.start)
        best = max(self._paths, key=lambda path: path.log_prob / (start + len(path.token_ids)))
        return Hypothesis(
            best.token_ids,
            best.frames,
            best.log_probs,
            self._num_frames,
            num_committed=self._common_prefix(best.token_ids),
        )

    def _step(self, frame: Logits) -> list[_Path]:
        start = self._joint.start
        size = len(start)
        contexts = [(start + path.token_ids[-size:])[-size:] for path in self._paths]
        logits = self._joint.logits_batch(frame, contexts)
        if self._blank_penalty > 0.0:
            logits[:, self._joint.blank_id] -= self._blank_penalty
        confidences = log_softmax(logits)
        totals = np.array([path.log_prob for path in self._paths], np.float32)
        scores = (confidences + totals[:, None] + self._gains()).ravel()
        merged: dict[tuple[int, ...], _Path] = {}
        for index in _top(scores, self._max_active_paths):
            row, token_id = divmod(int(index), logits.shape[1])
            log_prob = float(confidences[row, token_id])
            path = self._extend(self._paths[row], token_id, float(scores[index]), log_prob)
            same = merged.get(path.token_ids)
            if same is not None:
                path = replace(same, log_prob=float(np.logaddexp(same.log_prob, path.log_prob)))
            merged[path.token_ids] = path
        return list(merged.values())

    def _gains(self) -> Logits | float:
        """What the language model adds, (paths, V)."""
        if self._fusion is None:
            return 0.0
        return np.stack([self._fusion.gains(path.token_ids) for path in self._paths])

    def _extend(self, path: _Path, token_id: int, score: float, log_prob: float) -> _Path:
        if token_id in (self._joint.blank_id, self._joint.unk_id):
            return replace(path, log_prob=score)
        boost, state = 0.0, path.state
        if self._graph is not None and state is not None:
            boost, state = self._graph.step(state, token_id)
        return _Path(
            log_prob=score + boost,
            token_ids=(*path.token_ids, token_id),
            frames=(*path.frames, self._num_frames),
            log_probs=(*path.log_probs, log_prob),
            state=state,
        )

    def _common_prefix(self, token_ids: tuple[int, ...]) -> int:
        """Count the first tokens that all paths share, and that can therefore never change."""
        length = len(token_ids)
        for path in self._paths:
            agreed = 0
            for ours, theirs in zip(token_ids[:length], path.token_ids, strict=False):
                if ours != theirs:
                    break
                agreed += 1
            length = agreed
        return length


def _top(scores: Logits, count: int) -> list[int]:
    """Return indices of the greatest scores, best first."""
    count = min(count, scores.size)
    best = np.argpartition(scores, -count)[-count:]
    order: list[int] = best[np.argsort(-scores[best], kind="stable")].tolist()
    return order
