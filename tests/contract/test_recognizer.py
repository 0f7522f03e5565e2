"""What every model family must hold, whatever its architecture."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.chunks import cut, every
from tests.support.onnx_models import FAMILIES, audio, build
from wyoming_stt.decoding.hypothesis import EMPTY, Hypothesis
from wyoming_stt.decoding.options import Hotword, SearchOptions
from wyoming_stt.features.fbank import FRAME_SHIFT
from wyoming_stt.models.base import Recognizer
from wyoming_stt.models.registry import FAKE, load_model
from wyoming_stt.types import Samples

HOTWORDS = (Hotword("turn the light"), Hotword("kitchen", 4.0))
OPTIONS = {"greedy": SearchOptions(), "beam": SearchOptions("beam", hotwords=HOTWORDS)}
GREEDY = OPTIONS["greedy"]

FIRST: Samples = audio.speechlike(1.5, seed=1)
SECOND: Samples = audio.speechlike(1.1, seed=2)
NOTHING: Samples = np.empty(0, np.float32)


@pytest.fixture(scope="module", params=(FAKE, *FAMILIES))
def recognizer(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Recognizer:
    if request.param == FAKE:
        return load_model(FAKE, languages=["en"])
    folder = tmp_path_factory.mktemp("models") / request.param
    return load_model(build(request.param, folder, seed=1), languages=["en"])


@pytest.fixture(params=OPTIONS)
def options(request: pytest.FixtureRequest) -> SearchOptions:
    return OPTIONS[request.param]


def decode(
    recognizer: Recognizer, pieces: Sequence[Samples], options: SearchOptions = GREEDY
) -> Hypothesis:
    stream = recognizer.open(options)
    for piece in pieces:
        stream.push(piece)
    return stream.finish()


def num_frames(recognizer: Recognizer, num_samples: int) -> int:
    """Encoder frames of an utterance of which no real feature frame is left out."""
    info = recognizer.info
    if info.streaming:
        return -(-num_samples // info.chunk_samples) * info.chunk_samples // info.frame_samples
    features = (num_samples + 80) // FRAME_SHIFT
    # What the convolutions in front of an offline encoder leave; below 9 they are not asked.
    return (features - (3 if "conformer" in info.name else 5)) // 4 if features >= 9 else 0


def test_speech_is_heard(recognizer: Recognizer, options: SearchOptions) -> None:
    hypothesis = decode(recognizer, [FIRST], options)
    count = len(hypothesis.token_ids)
    assert count > 2
    assert len(hypothesis.frames) == len(hypothesis.log_probs) == count
    assert list(hypothesis.frames) == sorted(set(hypothesis.frames))
    assert hypothesis.frames[-1] < hypothesis.num_frames
    assert max(hypothesis.log_probs) <= 0.0
    assert recognizer.tokens.decode(hypothesis.token_ids)


def test_pieces_of_one_size_change_nothing(recognizer: Recognizer, options: SearchOptions) -> None:
    whole = decode(recognizer, [FIRST], options)
    for size in (97, 160, 997, 5_119, 5_120, 5_121):
        assert decode(recognizer, every(FIRST, size), options) == whole, size


def test_single_samples_change_nothing(recognizer: Recognizer) -> None:
    short = FIRST[:7_000]
    assert decode(recognizer, every(short, 1)) == decode(recognizer, [short])


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), method=st.sampled_from(sorted(OPTIONS)))
def test_no_cut_changes_anything(recognizer: Recognizer, data: st.DataObject, method: str) -> None:
    options = OPTIONS[method]
    pieces = data.draw(cut(SECOND))
    assert decode(recognizer, pieces, options) == decode(recognizer, [SECOND], options)


def test_what_was_committed_stays(recognizer: Recognizer, options: SearchOptions) -> None:
    stream, committed, frames = recognizer.open(options), (), 0
    hypotheses = [*map(stream.push, every(FIRST, 1_600)), stream.finish()]
    for hypothesis in hypotheses:
        assert hypothesis.token_ids[: len(committed)] == committed
        assert hypothesis.num_frames >= frames
        committed = hypothesis.token_ids[: hypothesis.num_committed]
        frames = hypothesis.num_frames
    streaming = recognizer.info.streaming
    assert any(hypothesis.token_ids for hypothesis in hypotheses[:-1]) is streaming


def test_finish_is_idempotent(recognizer: Recognizer, options: SearchOptions) -> None:
    stream = recognizer.open(options)
    stream.push(FIRST)
    assert stream.finish() == stream.finish() == stream.fork().finish()


def test_a_fork_goes_its_own_way(recognizer: Recognizer, options: SearchOptions) -> None:
    for at in (0, 100, 9_000, 20_480):
        stream = recognizer.open(options)
        stream.push(FIRST[:at])
        ended, diverted = stream.fork(), stream.fork()
        assert ended.finish() == decode(recognizer, [FIRST[:at]], options)
        diverted.push(SECOND)
        stream.push(FIRST[at:])
        assert diverted.finish() == decode(recognizer, [FIRST[:at], SECOND], options)
        assert stream.finish() == decode(recognizer, [FIRST], options)


def test_a_fork_outlives_its_origin(recognizer: Recognizer, options: SearchOptions) -> None:
    stream = recognizer.open(options)
    stream.push(FIRST[:9_000])
    fork = stream.fork()
    stream.push(SECOND)
    stream.finish()
    del stream
    twice = fork.fork()
    for branch in (fork, twice):
        branch.push(FIRST[9_000:])
        assert branch.finish() == decode(recognizer, [FIRST], options)


def test_interleaved_streams_do_not_meet(recognizer: Recognizer, options: SearchOptions) -> None:
    first, second = recognizer.open(options), recognizer.open(options)
    for ours, theirs in zip_longest(every(FIRST, 1_000), every(SECOND, 700), fillvalue=NOTHING):
        first.push(ours)
        second.push(theirs)
    assert first.finish() == decode(recognizer, [FIRST], options)
    assert second.finish() == decode(recognizer, [SECOND], options)


def test_threads_do_not_meet(recognizer: Recognizer, options: SearchOptions) -> None:
    utterances = [every(FIRST, 2_000), every(SECOND, 1_500)] * 2
    with ThreadPoolExecutor(2) as threads:
        heard = list(threads.map(lambda pieces: decode(recognizer, pieces, options), utterances))
    assert heard == [decode(recognizer, pieces, options) for pieces in utterances]


def test_streams_do_not_remember_others(recognizer: Recognizer, options: SearchOptions) -> None:
    before = decode(recognizer, [SECOND], options)
    decode(recognizer, [FIRST], options)
    assert decode(recognizer, [SECOND], options) == before


def test_nothing_is_heard_in_nothing(recognizer: Recognizer, options: SearchOptions) -> None:
    assert recognizer.open(options).finish() == EMPTY
    assert recognizer.open(options).push(NOTHING) == EMPTY
    assert decode(recognizer, [NOTHING, NOTHING], options) == EMPTY


def test_empty_pieces_change_nothing(recognizer: Recognizer) -> None:
    pieces = [piece for part in every(SECOND, 5_000) for piece in (NOTHING, part, NOTHING)]
    assert decode(recognizer, pieces) == decode(recognizer, [SECOND])


@pytest.mark.parametrize("num_samples", [1, 5_000, 40_000])
def test_nothing_is_heard_in_silence(recognizer: Recognizer, num_samples: int) -> None:
    hypothesis = decode(recognizer, [np.zeros(num_samples, np.float32)])
    assert hypothesis.token_ids == ()
    assert hypothesis.num_frames == num_frames(recognizer, num_samples)


def test_every_real_frame_is_decoded(recognizer: Recognizer) -> None:
    chunk = recognizer.info.chunk_samples
    sizes = {1, 2, 79, 80, 160, 399, 400, 1_359, 1_360, chunk - 1, chunk, chunk + 1, 2 * chunk + 1}
    for size in sorted(sizes):
        hypothesis = decode(recognizer, [FIRST[:size]])
        assert hypothesis.num_frames == num_frames(recognizer, size), size


def test_the_last_word_is_heard(recognizer: Recognizer) -> None:
    """Whatever is said at the very end comes out, however little of the last chunk it fills."""
    silence = np.zeros(2 * recognizer.info.chunk_samples, np.float32)
    for size in (4_500, 5_500, 6_500):
        word = FIRST[2_000 : 2_000 + size]
        assert decode(recognizer, [silence, word]).token_ids, size


def test_the_callers_array_is_not_kept(recognizer: Recognizer) -> None:
    stream, samples = recognizer.open(GREEDY), np.empty(777, np.float32)
    for piece in every(SECOND[: len(SECOND) // 777 * 777], 777):
        samples[:] = piece
        stream.push(samples)
        samples[:] = 1.0
    assert stream.finish() == decode(recognizer, [SECOND[: len(SECOND) // 777 * 777]])


def test_the_facts_fit_together(recognizer: Recognizer) -> None:
    info = recognizer.info
    assert info.frame_samples == 4 * FRAME_SHIFT
    assert info.chunk_samples % FRAME_SHIFT == 0
    assert info.languages == ("en",)
    assert len(recognizer.tokens) > 0
