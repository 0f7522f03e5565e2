"""Greedy transducer search with icefall's rule: at most one symbol an encoder frame."""

from collections.abc import Mapping

import numpy as np

from wyoming_stt.decoding.context_graph import ContextGraph
from wyoming_stt.decoding.hypothesis import Hypothesis
from wyoming_stt.decoding.joint import Joint, Logits, log_softmax

__all__ = ["GreedySearch"]


class GreedySearch:
    """One path, never revised: every token is committed as soon as it is emitted.

    Hotwords work as in NeMo's boosting tree: they choose among the symbols but never overrule the
    decision between blank and symbol, so a boost cannot make words out of silence.
    """

    def __init__(self, joint: Joint, *, blank_penalty: float, graph: ContextGraph | None) -> None:
        self._joint = joint
        self._blank_penalty = blank_penalty
        self._graph = graph
        self._context = joint.start
        self._token_ids: list[int] = []
        self._frames: list[int] = []
        self._log_probs: list[float] = []
        self._num_frames = 0
        if graph is not None:
            self._state = graph.root
            self._boosts: Mapping[int, float] = graph.boosts(graph.root)

    def fork(self, joint: Joint) -> "GreedySearch":
        """Copy the path; the copy scores with its own `joint`."""
        copy = GreedySearch(joint, blank_penalty=self._blank_penalty, graph=self._graph)
        copy._context = self._context
        copy._token_ids = self._token_ids.copy()
        copy._frames = self._frames.copy()
        copy._log_probs = self._log_probs.copy()
        copy._num_frames = self._num_frames
        if self._graph is not None:
            copy._state, copy._boosts = self._state, self._boosts
        return copy

    def advance(self, encoder_out: Logits) -> None:
        """Search through encoder frames, shape (T, D)."""
        blank, unk = self._joint.blank_id, self._joint.unk_id
        for frame in encoder_out:
            logits = self._joint.logits(frame, self._context)
            if self._blank_penalty > 0.0:
                logits[blank] -= self._blank_penalty
            token_id = int(logits.argmax())
            if token_id not in (blank, unk):
                self._emit(token_id, logits)
            self._num_frames += 1

    def finish(self) -> None:
        """Do nothing: a single path has nothing left to settle."""

    def hypothesis(self) -> Hypothesis:
        """Return the path so far."""
        return Hypothesis(
            tuple(self._token_ids),
            tuple(self._frames),
            tuple(self._log_probs),
            self._num_frames,
            num_committed=len(self._token_ids),
        )

    def _emit(self, token_id: int, logits: Logits) -> None:
        if self._graph is not None:
            token_id = self._boosted(logits)
            _, self._state = self._graph.step(self._state, token_id)
            self._boosts = self._graph.boosts(self._state)
        self._token_ids.append(token_id)
        self._frames.append(self._num_frames)
        self._log_probs.append(float(log_softmax(logits)[token_id]))
        self._context = (*self._context[1:], token_id)

    def _boosted(self, logits: Logits) -> int:
        """Pick the best symbol that is neither blank nor unknown, boosts added."""
        scores = logits.copy()
        for token_id, boost in self._boosts.items():
            scores[token_id] += boost
        scores[self._joint.blank_id] = -np.inf
        if self._joint.unk_id >= 0:
            scores[self._joint.unk_id] = -np.inf
        return int(scores.argmax())
