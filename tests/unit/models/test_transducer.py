"""The streaming loop, shown what the encoder is fed for every published chunk shape."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.chunks import cut
from wyoming_stt.decoding.hypothesis import Hypothesis
from wyoming_stt.features.fbank import FRAME_SHIFT, NUM_MELS, FbankStream
from wyoming_stt.models.metadata import StreamingShape
from wyoming_stt.models.transducer import TransducerStream
from wyoming_stt.types import Features, Samples

SHAPES = [(9, 4), (39, 32), (45, 32), (71, 64), (75, 64), (77, 64), (141, 128)]
"""T and S of lstm, zipformer, zipformer2 and conformer models."""


class RecordingEncoder:
    """Keeps a copy of every window it is given; its frames say which chunk they came from."""

    def __init__(self, shape: StreamingShape) -> None:
        self.window: Features = np.zeros((shape.chunk_size, NUM_MELS), np.float32)
        self.windows: list[Features] = []
        self._num_frames = shape.num_frames

    def encode(self) -> np.ndarray:
        self.windows.append(self.window.copy())
        return np.full((self._num_frames, 1), len(self.windows), np.float32)


class CountingSearch:
    """Emits one token a chunk, its number."""

    def __init__(self) -> None:
        self.rows: list[float] = []
        self.finished = 0

    def advance(self, encoder_out: np.ndarray) -> None:
        self.rows += encoder_out[:, 0].tolist()

    def finish(self) -> None:
        self.finished += 1

    def hypothesis(self) -> Hypothesis:
        return Hypothesis(num_frames=len(self.rows))


@dataclass
class Weights:
    """What a stream asks of its recogniser."""

    shape: StreamingShape


def opened(chunk: tuple[int, int]) -> tuple[TransducerStream, RecordingEncoder, CountingSearch]:
    size, shift = chunk
    shape = StreamingShape(size, shift, NUM_MELS, shift // 4, 1, caller_counts=False)
    encoder, search = RecordingEncoder(shape), CountingSearch()
    return TransducerStream(Weights(shape), encoder, search), encoder, search


def noise(num_samples: int) -> Samples:
    return np.random.default_rng(5).normal(0, 0.1, num_samples).astype(np.float32)


def features(samples: Samples, num_frames: int) -> Features:
    """The first frames of the samples and of silence without end after them."""
    stream = FbankStream()
    stream.push(samples)
    stream.push(np.zeros((num_frames + 1) * FRAME_SHIFT, np.float32))
    return stream.take(num_frames)


@settings(max_examples=40)
@given(st.sampled_from(SHAPES), st.integers(1, 40_000))
def test_every_real_frame_is_in_a_chunk_and_no_chunk_is_all_silence(
    chunk: tuple[int, int], num_samples: int
) -> None:
    size, shift = chunk
    samples = noise(num_samples)
    stream, encoder, search = opened(chunk)
    stream.push(samples)
    assert stream.finish().num_frames == len(encoder.windows) * (shift // 4)
    real_frames = -(-num_samples // FRAME_SHIFT)
    count = len(encoder.windows)
    assert (count - 1) * shift < real_frames <= count * shift
    expected = features(samples, (count - 1) * shift + size)
    for i, window in enumerate(encoder.windows):
        assert np.array_equal(window, expected[i * shift : i * shift + size])
    assert search.rows == [float(i + 1) for i in range(count) for _ in range(shift // 4)]


@settings(max_examples=40)
@given(st.sampled_from(SHAPES), st.integers(0, 20_000), st.data())
def test_any_chunking_feeds_the_same_windows(
    chunk: tuple[int, int], num_samples: int, data: st.DataObject
) -> None:
    samples = noise(num_samples)
    whole, expected, _ = opened(chunk)
    whole.push(samples)
    whole.finish()
    stream, encoder, _ = opened(chunk)
    for piece in data.draw(cut(samples)):
        stream.push(piece)
    stream.finish()
    assert len(encoder.windows) == len(expected.windows)
    assert all(map(np.array_equal, encoder.windows, expected.windows))


@pytest.mark.parametrize("chunk", SHAPES)
def test_a_chunk_is_decoded_with_its_last_sample(chunk: tuple[int, int]) -> None:
    size, shift = chunk
    stream, _, _ = opened(chunk)
    # A feature frame needs 120 samples after its own.
    assert stream.push(noise(size * FRAME_SHIFT + 119)).num_frames == 0
    assert stream.push(noise(1)).num_frames == shift // 4
    assert stream.push(noise(shift * FRAME_SHIFT - 1)).num_frames == shift // 4
    assert stream.push(noise(1)).num_frames == 2 * (shift // 4)


@pytest.mark.parametrize("chunk", SHAPES)
def test_nothing_costs_nothing(chunk: tuple[int, int]) -> None:
    stream, encoder, search = opened(chunk)
    assert stream.finish() == Hypothesis()
    assert encoder.windows == []
    assert search.finished == 1


def test_the_search_is_told_of_the_end_once() -> None:
    stream, encoder, search = opened((45, 32))
    stream.push(noise(3_000))
    assert stream.finish() == stream.finish()
    assert search.finished == 1
    assert len(encoder.windows) == 1
