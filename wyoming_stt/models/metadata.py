"""The shape of a streaming encoder, read from its metadata and checked against its graph."""

from dataclasses import dataclass
from pathlib import Path

from wyoming_stt.errors import ModelFileError
from wyoming_stt.features.fbank import NUM_MELS
from wyoming_stt.ort import OrtModel

__all__ = ["SUBSAMPLING_FACTOR", "StreamingShape", "expect_size", "streaming_shape"]

SUBSAMPLING_FACTOR = 4
"""Feature frames per encoder frame; the same in every icefall transducer."""


@dataclass(frozen=True, slots=True)
class StreamingShape:
    """Sizes of one encoder call, in feature frames of 10 ms unless they say otherwise."""

    chunk_size: int
    """T: frames that go in."""
    chunk_shift: int
    """S: frames that the stream advances; the rest of T is right context."""
    num_features: int
    num_frames: int
    """Encoder frames that come out."""
    joiner_dim: int
    caller_counts: bool
    """Whether the graph wants the number of processed frames instead of keeping it as a cache."""


def streaming_shape(model: OrtModel, joiner_dim: int, *, caller_counts: bool) -> StreamingShape:
    """Read `T` and `decode_chunk_len`, and check inputs, outputs and caches.

    Raises:
        ModelFileError: metadata is missing, or contradicts the graph or the joiner.
    """
    chunk_size, chunk_shift = model.metadata_int("T"), model.metadata_int("decode_chunk_len")
    if not 0 < chunk_shift <= chunk_size:
        found = f"{chunk_shift} and {chunk_size}"
        raise ModelFileError(model.path, "decode_chunk_len from 1 to T", found)
    path, x, encoder_out = model.path, model.inputs[0], model.outputs[0]
    num_caches, num_frames = len(model.outputs) - 1, chunk_shift // SUBSAMPLING_FACTOR
    expect_size(path, "inputs beside x", num_caches + caller_counts, len(model.inputs) - 1)
    expect_size(path, "frames in x", chunk_size, x.shape[1])
    expect_size(path, "features in x", NUM_MELS, x.shape[2])
    expect_size(path, "frames in encoder_out", num_frames, encoder_out.shape[1])
    expect_size(path, "values in encoder_out", joiner_dim, encoder_out.shape[2])
    caches = zip(model.inputs[1 : len(model.outputs)], model.outputs[1:], strict=True)
    for before, after in caches:
        if after.shape != before.shape or after.dtype is not before.dtype:
            expected = f"{after.name} shaped like {before.name}, {before.shape}"
            raise ModelFileError(path, expected, str(after.shape))
    return StreamingShape(
        chunk_size=chunk_size,
        chunk_shift=chunk_shift,
        num_features=NUM_MELS,
        num_frames=num_frames,
        joiner_dim=joiner_dim,
        caller_counts=caller_counts,
    )


def expect_size(path: Path, what: str, expected: int, found: int | None) -> None:
    """Compare a size in a graph with what it has to be; a symbolic one, None, fits anything.

    Raises:
        ModelFileError: it is another.
    """
    if found is not None and found != expected:
        raise ModelFileError(path, f"{expected} {what}", str(found))
