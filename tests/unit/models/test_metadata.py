from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.onnx_models import STREAMING_FAMILIES
from wyoming_stt.errors import ModelFileError
from wyoming_stt.models.metadata import StreamingShape, streaming_shape
from wyoming_stt.ort import OrtModel, OrtOptions, TensorSpec

SHAPES = {"zipformer2": (45, 32), "zipformer": (39, 32), "conformer": (75, 64), "lstm": (9, 4)}


@dataclass
class Graph:
    """The outside of an encoder: what it says of itself, and what its inputs and outputs are."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    metadata: Mapping[str, int] = field(default_factory=lambda: {"T": 45, "decode_chunk_len": 32})
    path: Path = Path("encoder.onnx")

    def metadata_int(self, key: str) -> int:
        return self.metadata[key]


def spec(name: str, *shape: int | None, dtype: type[np.generic] = np.float32) -> TensorSpec:
    return TensorSpec(name, shape, dtype)


X = spec("x", None, 45, 80)
OUT = spec("encoder_out", None, 8, 512)
CACHE, NEW_CACHE = spec("cache", 64, None, 12), spec("new_cache", 64, None, 12)
COUNTER = spec("processed_lens", None, dtype=np.int64)
GOOD = Graph((X, CACHE), (OUT, NEW_CACHE))


@pytest.mark.parametrize("family", STREAMING_FAMILIES)
def test_shapes_of_the_families(family: str, built: Callable[[str], Path]) -> None:
    model = OrtModel(built(family) / "encoder.onnx", OrtOptions())
    counts = family == "conformer"
    chunk_size, chunk_shift = SHAPES[family]
    assert streaming_shape(model, 40, caller_counts=counts) == StreamingShape(
        chunk_size=chunk_size,
        chunk_shift=chunk_shift,
        num_features=80,
        num_frames=chunk_shift // 4,
        joiner_dim=40,
        caller_counts=counts,
    )


def test_dimensions_may_be_symbolic() -> None:
    graph = Graph((spec("x", None, None, None), CACHE), (spec("out", None, None, None), NEW_CACHE))
    assert streaming_shape(graph, 512, caller_counts=False).num_frames == 8


def test_a_counter_has_no_output() -> None:
    graph = replace(GOOD, inputs=(X, CACHE, COUNTER))
    assert streaming_shape(graph, 512, caller_counts=True).caller_counts
    with pytest.raises(ModelFileError, match="1 inputs beside x, found 2"):
        streaming_shape(graph, 512, caller_counts=False)


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (replace(GOOD, metadata={"T": 0, "decode_chunk_len": 0}), "from 1 to T, found 0 and 0"),
        (replace(GOOD, metadata={"T": 9, "decode_chunk_len": 10}), "from 1 to T, found 10 and 9"),
        (replace(GOOD, inputs=(X,)), "1 inputs beside x, found 0"),
        (replace(GOOD, inputs=(spec("x", 1, 45, 128), CACHE)), "80 features in x, found 128"),
        (replace(GOOD, inputs=(spec("x", 1, 39, 80), CACHE)), "45 frames in x, found 39"),
        (
            replace(GOOD, outputs=(spec("out", 1, 8, 256), NEW_CACHE)),
            "512 values in encoder_out, found 256",
        ),
        (
            replace(GOOD, outputs=(spec("out", 1, 16, 512), NEW_CACHE)),
            "8 frames in encoder_out, found 16",
        ),
        (
            replace(GOOD, outputs=(OUT, spec("new_cache", 64, None, 13))),
            "new_cache shaped like cache, .64, None, 12., found .64, None, 13.",
        ),
        (
            replace(GOOD, outputs=(OUT, spec("new_cache", 64, None, 12, dtype=np.int64))),
            "new_cache shaped like cache",
        ),
    ],
)
def test_contradictions_are_named(graph: Graph, message: str) -> None:
    with pytest.raises(ModelFileError, match=rf"^encoder\.onnx: expected .*{message}"):
        streaming_shape(graph, 512, caller_counts=False)
