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
    output_score: float = 0.0
    is_end: bool = False
    next: dict[int, "ContextState"] = field(default_factory=dict)
    fail: "ContextState | None" = None
    output: "ContextState | None" = None


class ContextGraph:
    """Immutable once built, shared by all hypotheses of an utterance."""

    def __init__(self, phrases: Iterable[tuple[Sequence[int], float]]) -> None:
        self.root = ContextState()
        for token_ids, score in phrases:
            self._add(token_ids, score)
        self._link()

    def step(self, state: ContextState, token_id: int) -> tuple[float, ContextState]:
        """Advance by an emitted token; returns what it earns or pays back, and the new state."""
        node = state.next.get(token_id)
        if node is not None:
            score = node.token_score
        else:
            node = self._follow(state, token_id)
            score = node.node_score - state.node_score
        if node.output_score == 0.0:
            return score, node
        matched = node if node.is_end or node.output is None else node.output
        return score + matched.node_score - node.node_score, self.root

    def boosts(self, state: ContextState) -> Mapping[int, float]:
        """Scores of the tokens that begin or continue a phrase here, for a search of one path."""
        if state is self.root:
            return {token: child.token_score for token, child in self.root.next.items()}
        earned = {token: child.token_score for token, child in self.root.next.items()}
        node: ContextState | None = state
        while node is not None and node is not self.root:
            for token, child in node.next.items():
                earned[token] = max(earned.get(token, 0.0), child.token_score)
            node = node.fail
        return earned

    def _add(self, token_ids: Sequence[int], score: float) -> None:
        node = self.root
        for position, token_id in enumerate(token_ids, 1):
            is_end = position == len(token_ids)
            child = node.next.get(token_id)
            if child is None:
                child = node.next[token_id] = ContextState(token_score=score)
            else:
                child.token_score = max(score, child.token_score)
                is_end = is_end or child.is_end
            child.node_score = node.node_score + child.token_score
            child.is_end = is_end
            child.output_score = child.node_score if is_end else 0.0
            node = child

    def _link(self) -> None:
        """Fill `fail` and `output`, breadth first."""
        queue = deque(self.root.next.values())
        for child in queue:
            child.fail = self.root
        while queue:
            node = queue.popleft()
            for token_id, child in node.next.items():
                child.fail = self._follow(node, token_id)
                output: ContextState | None = child.fail
                while output is not None and not output.is_end:
                    output = output.fail
                child.output = output
                child.output_score += output.output_score if output is not None else 0.0
                queue.append(child)

    def _follow(self, state: ContextState, token_id: int) -> ContextState:
        """Find the longest suffix of `state` that `token_id` continues, or the root."""
        node = state.fail
        while node is not None:
            child = node.next.get(token_id)
            if child is not None:
                return child
            node = node.fail
        return self.root
