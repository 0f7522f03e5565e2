"""Hotwords as an Aho-Corasick automaton whose arcs carry scores (sherpa-onnx `context-graph.cc`).

Each token that advances inside a phrase earns the phrase's score at once; leaving a phrase before
its end pays back what was earned. A completed phrase keeps its score and the search is back at the
root.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["ContextGraph", "ContextState"]


@dataclass(slots=True, eq=False)
class ContextState:
    """A prefix of one or more phrases; `node_score` is what reaching it has earned."""

    token_score: float = 0.0
    node_score: float = 0.0
    is_end: bool = False
    next: dict[int, "ContextState"] = field(default_factory=dict)
    fail: "ContextState | None" = None
    """The longest proper suffix that is a prefix of a phrase too."""
    output: "ContextState | None" = None
    """The longest proper suffix that is a whole phrase."""


class ContextGraph:
    """Immutable once built, shared by all hypotheses of an utterance."""

    def __init__(self, phrases: Iterable[tuple[Sequence[int], float]]) -> None:
        self.root = ContextState()
        for token_ids, score in phrases:
            self._add(token_ids, score)
        self._link()

    def step(self, state: ContextState, token_id: int) -> tuple[float, ContextState]:
        """Advance by an emitted token; returns what it earns or pays back, and the new state."""
        node = self._follow(state, token_id)
        matched = node if node.is_end else node.output
        if matched is not None:
            return matched.node_score - state.node_score, self.root
        return node.node_score - state.node_score, node

    def boosts(self, state: ContextState) -> Mapping[int, float]:
        """Scores of the tokens that begin or continue a phrase here, for a search of one path."""
        scores: dict[int, float] = {}
        node: ContextState | None = state
        while node is not None:
            for token_id, child in node.next.items():
                scores[token_id] = max(scores.get(token_id, child.token_score), child.token_score)
            node = node.fail
        return scores

    def _add(self, token_ids: Sequence[int], score: float) -> None:
        node = self.root
        for token_id in token_ids:
            child = node.next.get(token_id)
            if child is None:
                child = node.next[token_id] = ContextState(token_score=score)
            child.token_score = max(score, child.token_score)
            node = child
        node.is_end = node is not self.root

    def _link(self) -> None:
        """Fill what depends on all phrases, breadth first: prefixes before what continues them.

        sherpa-onnx adds up `node_score` phrase by phrase, so that a phrase with a greater score
        leaves those that share its beginning with a sum too small, and a boost never paid back.
        """
        queue = deque([self.root])
        while queue:
            node = queue.popleft()
            for token_id, child in node.next.items():
                fail = self._follow(node.fail, token_id)
                child.node_score = node.node_score + child.token_score
                child.fail = fail
                child.output = fail if fail.is_end else fail.output
                queue.append(child)

    def _follow(self, state: ContextState | None, token_id: int) -> ContextState:
        """Find the longest suffix of `state`, itself included, that `token_id` continues."""
        while state is not None:
            child = state.next.get(token_id)
            if child is not None:
                return child
            state = state.fail
        return self.root
