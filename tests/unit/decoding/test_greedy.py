from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.chunks import cut
from tests.support.scripted_joint import ScriptedJoint, frames
from wyoming_stt.decoding.context_graph import ContextGraph
from wyoming_stt.decoding.greedy import GreedySearch
from wyoming_stt.decoding.hypothesis import EMPTY, Hypothesis
from wyoming_stt.decoding.joint import Logits, log_softmax

BLANK, UNK = 0, 2
Phrases = Sequence[tuple[Sequence[int], float]]


def opened(
    joint: ScriptedJoint | None = None, *, blank_penalty: float = 0.0, phrases: Phrases = ()
) -> GreedySearch:
    graph = ContextGraph(phrases) if phrases else None
    return GreedySearch(joint or ScriptedJoint(), blank_penalty=blank_penalty, graph=graph)


def found(search: GreedySearch, *rows: Sequence[float]) -> Hypothesis:
    search.advance(frames(*rows))
    search.finish()
    return search.hypothesis()


def random_frames(seed: int, count: int, width: int = 5) -> Logits:
    return np.random.default_rng(seed).normal(0, 2, (count, width)).astype(np.float32)


def test_nothing_is_found_in_nothing() -> None:
    assert found(opened()) == EMPTY


def test_each_frame_gives_one_symbol_or_none() -> None:
    hypothesis = found(opened(), [0, 5, 1], [9, 1, 1], [0, 5, 1], [0, 1, 5])
    assert hypothesis.token_ids == (1, 1, 2)
    assert hypothesis.frames == (0, 2, 3)
    assert hypothesis.num_frames == 4
    assert hypothesis.num_committed == 3


def test_frames_since_the_last_symbol_are_counted() -> None:
    search = opened()
    assert found(search, [9, 1], [9, 1]).trailing_blanks == 2
    assert found(search, [1, 9]).trailing_blanks == 0
    assert found(search, [9, 1], [9, 1], [9, 1]).trailing_blanks == 3


def test_the_first_of_equals_wins() -> None:
    assert found(opened(), [1, 1, 1], [0, 1, 1]).token_ids == (1,)


def test_the_unknown_token_is_a_blank() -> None:
    joint = ScriptedJoint(unk_id=UNK)
    assert found(opened(joint), [0, 1, 5], [0, 5, 1]) == found(opened(), [5, 1, 0], [0, 5, 1])
    assert joint.contexts == [(-1, 0), (-1, 0)]


def test_the_context_is_that_of_the_last_symbols() -> None:
    joint = ScriptedJoint()
    found(opened(joint), [9, 0, 0], [0, 9, 0], [9, 0, 0], [0, 0, 9], [0, 9, 0], [9, 0, 0])
    assert joint.contexts == [(-1, 0), (-1, 0), (0, 1), (0, 1), (1, 2), (2, 1)]


def test_what_was_said_changes_what_comes_next() -> None:
    joint = ScriptedJoint({(0, 1): [0, -5, 5], (1, 2): [9, 0, 0]})
    assert found(opened(joint), [0, 1, 0], [0, 1, 0], [0, 1, 0]).token_ids == (1, 2)


def test_log_probs_are_the_models() -> None:
    rows = [[0.5, 2.0, 1.0], [4.0, 0.0, 1.0], [0.0, 1.0, 3.0]]
    hypothesis = found(opened(), *rows)
    expected = [log_softmax(frames(rows[0]))[0, 1], log_softmax(frames(rows[2]))[0, 2]]
    assert hypothesis.log_probs == tuple(map(float, expected))


def test_a_blank_penalty_lets_more_through() -> None:
    rows = [[2.0, 1.5, 0.0], [9.0, 0.0, 0.0]]
    assert found(opened(), *rows).token_ids == ()
    assert found(opened(blank_penalty=1.0), *rows).token_ids == (1,)
    assert found(opened(blank_penalty=-20.0), *rows).token_ids == (), "as sherpa-onnx: only above 0"


@settings(max_examples=50)
@given(st.integers(0, 999), st.data())
def test_any_chunking_gives_the_same(seed: int, data: st.DataObject) -> None:
    encoder_out = random_frames(seed, 20)
    whole, pieces = (opened(phrases=[([1, 3], 1.0), ([3, 4, 1], 0.5)]) for _ in range(2))
    whole.advance(encoder_out)
    for piece in data.draw(cut(encoder_out)):
        pieces.advance(piece)
    assert pieces.hypothesis() == whole.hypothesis()


@settings(max_examples=50)
@given(st.integers(0, 999), st.integers(0, 12))
def test_a_fork_goes_its_own_way(seed: int, at: int) -> None:
    first, second, third = (random_frames(seed + i, at or 1) for i in range(3))
    phrases = [([1, 3], 2.0), ([3, 4, 1], 1.0)]
    search = opened(phrases=phrases)
    search.advance(first)
    fork = search.fork(ScriptedJoint())
    for branch, rest in ((fork, third), (search, second)):
        branch.advance(rest)
        alone = opened(phrases=phrases)
        alone.advance(np.concatenate((first, rest)))
        assert branch.hypothesis() == alone.hypothesis()


def test_a_boost_chooses_among_the_symbols() -> None:
    row = [0.0, 2.0, 1.0]
    assert found(opened(), row).token_ids == (1,)
    assert found(opened(phrases=[([2], 0.9)]), row).token_ids == (1,)
    assert found(opened(phrases=[([2], 1.1)]), row).token_ids == (2,)


def test_no_boost_makes_a_word_out_of_silence() -> None:
    row = [2.1, 2.0, 1.0]
    assert found(opened(phrases=[([1], 99.0), ([2], 99.0)]), row).token_ids == ()


def test_no_boost_makes_a_blank_out_of_a_word() -> None:
    joint = ScriptedJoint(unk_id=UNK)
    phrases = [([BLANK], 99.0), ([UNK], 99.0)]
    assert found(opened(joint, phrases=phrases), [2.9, 3.0, 2.9, 1.0]).token_ids == (1,)


def test_without_an_unknown_token_the_last_symbol_can_be_boosted() -> None:
    assert found(opened(phrases=[([2], 5.0)]), [0.0, 2.0, 1.0]).token_ids == (2,)


def test_confidence_is_not_boosted() -> None:
    row = [0.0, 2.0, 1.0]
    hypothesis = found(opened(phrases=[([2], 99.0)]), row)
    assert hypothesis.log_probs == (float(log_softmax(frames(row))[0, 2]),)


@pytest.mark.parametrize(
    ("said", "boosted"),
    [
        ([], (1, 2)),  # both phrases may begin
        ([1], (3, 1, 2)),  # the first goes on, or either begins
        ([1, 3], (4, 1, 2)),
        ([1, 3, 4], (1, 2)),  # it is complete
        ([2, 1], (3, 1, 2)),  # the second was left, the first has begun
        ([4], (1, 2)),
    ],
)
def test_what_continues_a_phrase_is_boosted(said: list[int], boosted: tuple[int, ...]) -> None:
    phrases = [([1, 3, 4], 2.0), ([2, 4], 2.0)]
    for token_id in range(1, 5):
        search = opened(phrases=phrases)
        search.advance(frames(*([9.0 * (i == t) for i in range(6)] for t in said)))
        # Token 5 leads by 1: only a boost brings another before it.
        search.advance(frames([0.0, *(4.0 * (i == token_id) for i in range(1, 5)), 5.0]))
        expected = token_id if token_id in boosted else 5
        assert search.hypothesis().token_ids == (*said, expected)
