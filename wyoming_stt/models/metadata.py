"""The shape of a streaming encoder, read from its metadata and checked against its graph."""

from dataclasses import dataclass

from wyoming_stt.errors import ModelFileError
from wyoming_stt.features.fbank import NUM_MELS
from wyoming_stt.ort import OrtModel

__all__ = ["SUBSAMPLING_FACTOR", "StreamingShape", "streaming_shape"]

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
    _expect(model, "inputs beside x", len(model.outputs) - 1 + caller_counts, len(model.inputs) - 1)
    _expect(model, "features in x", NUM_MELS, model.inputs[0].shape[-1])
    _expect(model, "values in encoder_out", joiner_dim, model.outputs[0].shape[-1])
    if model.inputs[0].shape[1] is not None:
        _expect(model, "frames in x", chunk_size, model.inputs[0].shape[1])
    _expect(
        model, "frames in encoder_out", chunk_shift // SUBSAMPLING_FACTOR, model.outputs[0].shape[1]
    )
    caches = zip(model.inputs[1 : len(model.outputs)], model.outputs[1:], strict=True)
    for before, after in caches:
        if after.shape != before.shape or after.dtype is not before.dtype:
            expected = f"{after.name} shaped like {before.name}, {before.shape}"
            raise ModelFileError(model.path, expected, str(after.shape))
    return StreamingShape(
        chunk_size=chunk_size,
        chunk_shift=chunk_shift,
        num_features=NUM_MELS,
        num_frames=chunk_shift // SUBSAMPLING_FACTOR,
        joiner_dim=joiner_dim,
        caller_counts=caller_counts,
    )


def _expect(model: OrtModel, what: str, expected: int, found: int | None) -> None:
    if found is not None and found != expected:
        raise ModelFileError(model.path, f"{expected} {what}", str(found))
