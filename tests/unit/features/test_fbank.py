import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.chunks import cut, every
from wyoming_stt.features.fbank import FRAME_SHIFT, NUM_MELS, FbankStream, batch, samples_for


def noise(size: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(size).astype(np.float32) / 10


def fbank(pieces: list[np.ndarray], take: int) -> np.ndarray:
    """Take blocks of `take` frames as soon as they are there, and what remains at the end."""
    stream = FbankStream()
    blocks = []
    for piece in pieces:
        stream.push(piece)
        while stream.num_ready >= take:
            blocks.append(stream.take(take))
    stream.finish()
    return np.concatenate([*blocks, stream.take(stream.num_ready)])


@pytest.mark.parametrize("size", [*range(0, 500, 7), 79, 80, 119, 120, 239, 240, 280, 400])
def test_number_of_frames(size: int) -> None:
    assert batch(noise(size)).shape == ((size + 80) // 160, NUM_MELS)


@pytest.mark.parametrize("size", [1, 3, 160, 999])
@pytest.mark.parametrize("take", [1, 32, 100])
def test_pieces_and_blocks_of_one_size_give_the_same_bits(size: int, take: int) -> None:
    samples = noise(16_000 if size > 1 else 2_000)
    assert np.array_equal(fbank(every(samples, size), take), batch(samples))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 9_000), st.integers(1, 70), st.data())
def test_any_chunking_gives_the_same_bits(size: int, take: int, data: st.DataObject) -> None:
    samples = noise(size)
    assert np.array_equal(fbank(data.draw(cut(samples)), take), batch(samples))


def test_a_frame_is_ready_with_its_last_sample() -> None:
    stream = FbankStream()
    stream.push(noise(279))
    assert stream.num_ready == 0
    stream.push(noise(1))
    assert stream.num_ready == 1
    stream.push(noise(10 * FRAME_SHIFT))
    assert stream.num_ready == 11
    assert stream.take(4).shape == (4, NUM_MELS)
    assert stream.num_ready == 7
    assert stream.take(0).shape == (0, NUM_MELS)
    with pytest.raises(ValueError, match="8 frames asked for, 7 ready"):
        stream.take(8)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 4_000), st.integers(0, 25), st.integers(0, 2_000))
def test_a_copy_goes_its_own_way(size: int, take: int, more: int) -> None:
    first, second, other = noise(size, 1), noise(more, 2), noise(more, 4)
    stream = FbankStream()
    stream.push(first)
    taken = stream.take(min(take, stream.num_ready))
    fork = stream.copy()
    for branch, rest in ((fork, other), (stream, second)):
        branch.push(rest)
        branch.finish()
        features = np.concatenate((taken, branch.take(branch.num_ready)))
        assert np.array_equal(features, batch(np.concatenate((first, rest))))


def test_samples_for_is_when_frames_are_ready() -> None:
    for num_frames in (0, 1, 2, 45):
        stream = FbankStream()
        stream.push(noise(max(0, samples_for(num_frames) - 1)))
        assert stream.num_ready == max(0, num_frames - 1)
        stream.push(noise(1))
        assert stream.num_ready == num_frames


def test_finish_twice_is_finish_once() -> None:
    stream = FbankStream()
    stream.push(noise(1_000))
    stream.finish()
    ready = stream.num_ready
    stream.finish()
    assert stream.num_ready == ready


def test_the_callers_array_is_not_kept() -> None:
    samples = noise(2_000)
    expected = batch(samples)
    stream = FbankStream()
    stream.push(samples)
    samples[:] = 0
    stream.finish()
    assert np.array_equal(stream.take(stream.num_ready), expected)
