from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.support.onnx_models import STREAMING_FAMILIES
from wyoming_stt.models.encoder import EncoderStream
from wyoming_stt.models.metadata import streaming_shape
from wyoming_stt.ort import OrtModel, OrtOptions

CHUNKS = 5


def windows(chunk_size: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(-8, 5, (CHUNKS, chunk_size, 80)).astype(np.float32)


@pytest.fixture(params=STREAMING_FAMILIES)
def model(request: pytest.FixtureRequest, built: Callable[[str], Path]) -> OrtModel:
    return OrtModel(built(request.param) / "encoder.onnx", OrtOptions())


def opened(model: OrtModel) -> EncoderStream:
    counts = model.metadata["model_type"] == "conformer"
    return EncoderStream(model, streaming_shape(model, 40, caller_counts=counts))


def encoded(stream: EncoderStream, chunks: np.ndarray) -> list[np.ndarray]:
    outs = []
    for chunk in chunks:
        stream.window[:] = chunk
        outs.append(stream.encode().copy())
    return outs


def test_it_does_what_passing_the_caches_by_hand_does(model: OrtModel) -> None:
    states = [spec.zeros() for spec in model.inputs[1:]]
    counts = len(model.inputs) > len(model.outputs)
    expected = []
    for chunk in windows(model.metadata_int("T")):
        out, *new = model.run(chunk[None], *states)
        states = [*new, states[-1] + model.metadata_int("decode_chunk_len")] if counts else new
        expected.append(out[0])
    found = encoded(opened(model), windows(model.metadata_int("T")))
    assert all(map(np.array_equal, found, expected))


def test_a_fork_goes_its_own_way(model: OrtModel) -> None:
    ours, theirs = windows(model.metadata_int("T")), windows(model.metadata_int("T"), seed=1)
    for at in range(CHUNKS):
        stream = opened(model)
        encoded(stream, ours[:at])
        fork = stream.fork()
        assert np.array_equal(fork.window, stream.window)
        diverted = encoded(fork, theirs[at:])
        kept = encoded(stream, ours[at:])
        mixed = encoded(opened(model), np.concatenate((ours[:at], theirs[at:])))
        assert all(map(np.array_equal, diverted, mixed[at:]))
        assert all(map(np.array_equal, kept, encoded(opened(model), ours)[at:]))
