from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from wyoming_stt.decoding.context_graph import ContextGraph, ContextState

Phrases = list[tuple[Sequence[int], float]]

TOKEN = st.integers(1, 3)
# Halves, whose sums are exact.
SCORE = st.integers(-2, 6).map(lambda halves: halves / 2)
PHRASES = st.lists(st.tuples(st.lists(TOKEN, max_size=5), SCORE), max_size=6)
SPOKEN = st.lists(TOKEN, max_size=15)


class PrefixGraph:
    """The rule of the graph in so many words: no links, only prefixes that are looked up."""

    def __init__(self, phrases: Phrases) -> None:
        self.phrases = [(tuple(token_ids), score) for token_ids, score in phrases if token_ids]
        self.whole = {token_ids for token_ids, _ in self.phrases}
        self.prefixes = {ids[:end] for ids in self.whole for end in range(len(ids) + 1)}

    def token_score(self, prefix: tuple[int, ...]) -> float:
        return max(score for ids, score in self.phrases if ids[: len(prefix)] == prefix)

    def earned(self, prefix: tuple[int, ...]) -> float:
        return sum(self.token_score(prefix[:end]) for end in range(1, len(prefix) + 1))

    def step(self, prefix: tuple[int, ...], token_id: int) -> tuple[float, tuple[int, ...]]:
        said = (*prefix, token_id)
        suffixes = [said[start:] for start in range(len(said))]
        after = next((suffix for suffix in suffixes if suffix in self.prefixes), ())
        inside = [after[start:] for start in range(len(after))]
        completed = next((suffix for suffix in inside if suffix in self.whole), None)
        if completed is not None:
            return self.earned(completed) - self.earned(prefix), ()
        return self.earned(after) - self.earned(prefix), after

    def boosts(self, prefix: tuple[int, ...]) -> dict[int, float]:
        suffixes = [prefix[start:] for start in range(len(prefix) + 1)]
        continued = [(*suffix, token_id) for suffix in suffixes for token_id in (1, 2, 3)]
        known = [ids for ids in continued if ids in self.prefixes]
        return {
            token_id: max(self.token_score(ids) for ids in known if ids[-1] == token_id)
            for token_id in {ids[-1] for ids in known}
        }


def walk(graph: ContextGraph, spoken: Sequence[int]) -> tuple[list[float], ContextState]:
    state, scores = graph.root, []
    for token_id in spoken:
        score, state = graph.step(state, token_id)
        scores.append(score)
    return scores, state


@given(PHRASES, SPOKEN)
def test_every_step_earns_what_the_rule_says(phrases: Phrases, spoken: list[int]) -> None:
    reference, prefix, expected = PrefixGraph(phrases), (), []
    for token_id in spoken:
        score, prefix = reference.step(prefix, token_id)
        expected.append(score)
    graph = ContextGraph(phrases)
    scores, state = walk(graph, spoken)
    assert scores == expected
    assert state.node_score == reference.earned(prefix)
    assert graph.boosts(state) == reference.boosts(prefix)


@given(PHRASES, SPOKEN)
def test_only_whole_phrases_keep_their_scores(phrases: Phrases, spoken: list[int]) -> None:
    """After what is unfinished is paid back, there remains what the completed phrases earned."""
    reference, prefix, kept = PrefixGraph(phrases), (), 0.0
    for token_id in spoken:
        before = reference.earned(prefix)
        score, prefix = reference.step(prefix, token_id)
        kept += 0.0 if prefix else before + score
    scores, state = walk(ContextGraph(phrases), spoken)
    assert sum(scores) - state.node_score == kept


@given(st.data(), PHRASES, SPOKEN)
def test_the_order_of_phrases_is_of_no_account(
    data: st.DataObject, phrases: Phrases, spoken: list[int]
) -> None:
    other = data.draw(st.permutations(phrases))
    assert walk(ContextGraph(phrases), spoken)[0] == walk(ContextGraph(other), spoken)[0]


def test_a_phrase_earns_token_by_token() -> None:
    graph = ContextGraph([([1, 2, 3], 1.5)])
    assert walk(graph, [1, 2, 3]) == ([1.5, 1.5, 1.5], graph.root)


def test_leaving_a_phrase_pays_back() -> None:
    graph = ContextGraph([([1, 2, 3], 1.5)])
    assert walk(graph, [1, 2, 9]) == ([1.5, 1.5, -3.0], graph.root)


def test_leaving_into_another_phrase_pays_back_the_difference() -> None:
    graph = ContextGraph([([1, 2, 3], 1.5), ([2, 4], 2.0)])
    scores, state = walk(graph, [1, 2, 4])
    assert scores == [1.5, 1.5, 1.0]
    assert state is graph.root


def test_a_phrase_inside_another_completes_first() -> None:
    graph = ContextGraph([([1, 2, 3, 4], 1.0), ([2, 3], 2.0)])
    scores, state = walk(graph, [1, 2, 3])
    assert sum(scores) == 4.0
    assert state is graph.root


def test_a_greater_score_is_shared_by_all_that_begin_alike() -> None:
    graph = ContextGraph([([1, 2, 3], 1.0), ([1, 4], 3.0)])
    assert walk(graph, [1, 2])[0] == [3.0, 1.0]
    assert walk(graph, [1, 2, 9])[0] == [3.0, 1.0, -4.0]


def test_no_phrases_change_nothing() -> None:
    graph = ContextGraph([([], 5.0)])
    assert walk(graph, [1, 2, 3]) == ([0.0, 0.0, 0.0], graph.root)
    assert graph.boosts(graph.root) == {}
