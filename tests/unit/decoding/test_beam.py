import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.chunks import cut
from tests.support.scripted_joint import ScriptedJoint, frames
from wyoming_stt.decoding.beam import BeamSearch
from wyoming_stt.decoding.context_graph import ContextGraph
from wyoming_stt.decoding.greedy import GreedySearch
from wyoming_stt.decoding.hypothesis import EMPTY, Hypothesis
from wyoming_stt.decoding.joint import Context, Logits, log_softmax

Phrases = Sequence[tuple[Sequence[int], float]]

VOCAB = 4
ALL = 10_000
"""More paths than the tests can make."""


def opened(
    joint: ScriptedJoint | None = None,
    paths: int = 4,
    *,
    blank_penalty: float = 0.0,
    phrases: Phrases = (),
) -> BeamSearch:
    return BeamSearch(
        joint or ScriptedJoint(),
        max_active_paths=paths,
        blank_penalty=blank_penalty,
        graph=ContextGraph(phrases) if phrases else None,
    )


def found(search: BeamSearch, encoder_out: Logits) -> Hypothesis:
    search.advance(encoder_out)
    search.finish()
    return search.hypothesis()


def totals(search: BeamSearch) -> dict[tuple[int, ...], float]:
    return {path.token_ids: path.log_prob for path in search._paths}


def random_frames(seed: int, count: int) -> Logits:
    return np.random.default_rng(seed).normal(0, 1.5, (count, VOCAB)).astype(np.float32)


def random_joint(seed: int, unk_id: int = -1) -> ScriptedJoint:
    """A joint for which every context is another."""
    rng = np.random.default_rng((seed, 1))
    contexts = [(-1, 0), *itertools.product(range(VOCAB), repeat=2)]
    return ScriptedJoint({c: rng.normal(0, 1.0, VOCAB) for c in contexts}, unk_id=unk_id)


def spelled(alignment: Sequence[int], unk_id: int) -> tuple[int, ...]:
    return tuple(token_id for token_id in alignment if token_id not in (0, unk_id))


def brute_force(encoder_out: Logits, joint: ScriptedJoint) -> dict[tuple[int, ...], float]:
    """Log-probability of every token sequence: the sum over all alignments, one by one."""
    sums: dict[tuple[int, ...], float] = {}
    for alignment in itertools.product(range(VOCAB), repeat=len(encoder_out)):
        total = 0.0
        for t, token_id in enumerate(alignment):
            context: Context = (*joint.start, *spelled(alignment[:t], joint.unk_id))[-2:]
            total += float(log_softmax(joint._score(encoder_out[t], context))[token_id])
        token_ids = spelled(alignment, joint.unk_id)
        sums[token_ids] = float(np.logaddexp(sums.get(token_ids, -np.inf), total))
    return sums


@settings(max_examples=30)
@given(st.integers(0, 9_999), st.integers(0, 3), st.sampled_from([-1, 2]))
def test_a_beam_that_drops_nothing_finds_every_sum(seed: int, count: int, unk_id: int) -> None:
    encoder_out, joint = random_frames(seed, count), random_joint(seed, unk_id)
    search = opened(joint, ALL)
    best = found(search, encoder_out)
    expected = brute_force(encoder_out, joint)
    assert totals(search) == {ids: pytest.approx(v, abs=1e-4) for ids, v in expected.items()}
    by_token = {ids: total / (2 + len(ids)) for ids, total in expected.items()}
    assert by_token[best.token_ids] == pytest.approx(max(by_token.values()), abs=1e-4)
    assert best.num_frames == count


def reference(
    encoder_out: Logits, joint: ScriptedJoint, paths: int
) -> dict[tuple[int, ...], float]:
    """Modified beam search on a dictionary: sort everything, keep the first, add what is equal."""
    active = {(): 0.0}
    for frame in encoder_out:
        candidates = []
        for token_ids, total in active.items():
            log_probs = log_softmax(joint._score(frame, (*joint.start, *token_ids)[-2:]))
            scores = log_probs + np.float32(total)
            candidates += [(float(score), token_ids, i) for i, score in enumerate(scores)]
        candidates.sort(key=lambda candidate: -candidate[0])
        active = {}
        for score, token_ids, i in candidates[:paths]:
            extended = (*token_ids, *spelled([i], joint.unk_id))
            active[extended] = float(np.logaddexp(active.get(extended, -np.inf), score))
    return active


@settings(max_examples=50)
@given(st.integers(0, 9_999), st.integers(1, 5), st.sampled_from([-1, 2]))
def test_a_narrow_beam_keeps_the_best(seed: int, paths: int, unk_id: int) -> None:
    encoder_out, joint = random_frames(seed, 12), random_joint(seed, unk_id)
    search = opened(joint, paths)
    search.advance(encoder_out)
    assert totals(search) == reference(encoder_out, joint, paths)


@settings(max_examples=50)
@given(st.integers(0, 9_999), st.sampled_from([-1, 2]), st.sampled_from([0.0, 0.7]))
def test_one_path_is_greedy(seed: int, unk_id: int, blank_penalty: float) -> None:
    encoder_out, joint = random_frames(seed, 20), random_joint(seed, unk_id)
    greedy = GreedySearch(joint, blank_penalty=blank_penalty, graph=None)
    greedy.advance(encoder_out)
    beam = found(opened(joint, 1, blank_penalty=blank_penalty), encoder_out)
    assert beam == greedy.hypothesis()


@settings(max_examples=50)
@given(st.integers(0, 9_999))
def test_frames_and_log_probs_are_those_of_an_alignment(seed: int) -> None:
    encoder_out, joint = random_frames(seed, 20), random_joint(seed)
    best = found(opened(joint), encoder_out)
    assert list(best.frames) == sorted(set(best.frames))
    for i, (frame, token_id) in enumerate(zip(best.frames, best.token_ids, strict=True)):
        context = (*joint.start, *best.token_ids[:i])[-2:]
        row = log_softmax(joint._score(encoder_out[frame], context))
        assert best.log_probs[i] == pytest.approx(float(row[token_id]), abs=1e-5)


@settings(max_examples=50)
@given(st.integers(0, 9_999), st.integers(1, 8))
def test_what_was_committed_stays(seed: int, paths: int) -> None:
    phrases = [([1, 2, 3], 1.0), ([2, 2], 2.0)]
    search, committed = opened(random_joint(seed), paths, phrases=phrases), ()
    for frame in random_frames(seed, 30):
        search.advance(frame[None])
        hypothesis = search.hypothesis()
        assert hypothesis.token_ids[: len(committed)] == committed
        assert hypothesis.num_committed >= len(committed)
        committed = hypothesis.token_ids[: hypothesis.num_committed]
    search.finish()
    assert search.hypothesis().token_ids[: len(committed)] == committed


@settings(max_examples=30)
@given(st.integers(0, 9_999), st.data())
def test_any_chunking_gives_the_same(seed: int, data: st.DataObject) -> None:
    encoder_out = random_frames(seed, 12)
    pieces = opened(random_joint(seed), phrases=[([1, 3], 1.0)])
    for piece in data.draw(cut(encoder_out)):
        pieces.advance(piece)
    pieces.finish()
    whole = found(opened(random_joint(seed), phrases=[([1, 3], 1.0)]), encoder_out)
    assert pieces.hypothesis() == whole


@settings(max_examples=50)
@given(st.integers(0, 999), st.integers(1, 10))
def test_a_fork_goes_its_own_way(seed: int, at: int) -> None:
    first, second, third = (random_frames(seed + i, at) for i in range(3))
    phrases = [([1, 3], 2.0)]
    search = opened(phrases=phrases)
    search.advance(first)
    fork = search.fork(ScriptedJoint())
    for branch, rest in ((fork, third), (search, second)):
        whole = np.concatenate((first, rest))
        assert found(branch, rest) == found(opened(phrases=phrases), whole)


def test_nothing_is_found_in_nothing() -> None:
    assert found(opened(), frames()) == EMPTY


def test_equal_sequences_are_added_up() -> None:
    """Two ways to say 1 outweigh the one way to say nothing, which greedy search prefers."""
    encoder_out = frames([0.0, -0.2], [0.0, -0.2])
    assert found(opened(paths=1), encoder_out).token_ids == ()
    search = opened(paths=4)
    search.advance(encoder_out)
    no, yes = (float(p) for p in log_softmax(np.float32([0.0, -0.2])))
    assert totals(search)[(1,)] == pytest.approx(no + yes + np.log(2))
    assert search.hypothesis().token_ids == (1,)


def test_a_blank_penalty_lets_more_through() -> None:
    encoder_out = frames([3.0, 1.0], [9.0, 0.0])
    assert found(opened(), encoder_out).token_ids == ()
    assert found(opened(blank_penalty=5.0), encoder_out).token_ids == (1,)


@settings(max_examples=50)
@given(st.integers(0, 9_999), st.integers(0, 3))
def test_boosts_are_added_to_what_the_model_says(seed: int, count: int) -> None:
    phrases = [([1, 2], 1.5), ([2, 3, 1], 0.5), ([3], 0.25)]
    encoder_out = random_frames(seed, count)
    search = opened(random_joint(seed), ALL, phrases=phrases)
    search.advance(encoder_out)
    graph = ContextGraph(phrases)
    for token_ids, total in brute_force(encoder_out, random_joint(seed)).items():
        state, boost = graph.root, 0.0
        for token_id in token_ids:
            score, state = graph.step(state, token_id)
            boost += score
        assert totals(search)[token_ids] == pytest.approx(total + boost, abs=1e-4)


def test_a_boost_brings_a_phrase_to_the_front() -> None:
    encoder_out = frames([0.0, 4.0, 3.0], [9.0, 0.0, 0.0])
    assert found(opened(), encoder_out).token_ids == (1,)
    boosted = found(opened(phrases=[([2], 3.0)]), encoder_out)
    assert boosted.token_ids == (2,)
    assert boosted.log_probs == pytest.approx([float(log_softmax(encoder_out)[0, 2])])


def test_the_end_takes_back_what_was_not_completed() -> None:
    search = opened(phrases=[([2, 3], 3.0)])
    search.advance(frames([0.0, 4.0, 3.0, 0.0], [9.0, 0.0, 0.0, 0.0]))
    assert search.hypothesis().token_ids == (2,)
    search.finish()
    assert search.hypothesis().token_ids == (1,)
    search.finish()
    assert search.hypothesis().token_ids == (1,)
