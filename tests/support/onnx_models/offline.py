"""Offline encoders: the whole utterance at once, padded to the longest of its batch."""

from typing import Final

import numpy as np
import onnx

from tests.support.onnx_models.encoder import FEATURES, add_reads, front, head
from tests.support.onnx_models.graph import FLOAT, INT64, Dim, Frames, Graph

__all__ = ["OFFLINE", "offline_encoder"]

OFFLINE: Final = {"offline-zipformer2": 9, "offline-zipformer": 9, "offline-conformer": 7}
"""Feature frames behind the first encoder frame: (T - 9) // 4 + 1 is the zipformers' length
((T - 7) // 2 + 1) // 2, (T - 7) // 4 + 1 is the conformer's ((T - 1) // 2 - 1) // 2."""

LAYERS: Final = 2
WIDTH: Final = 20
REACH: Final = 7
"""Frames that a layer looks back, and forward."""


def offline_encoder(
    family: str, rng: np.random.Generator, joiner_dim: int, batch: Dim
) -> onnx.ModelProto:
    """Map `x` (N, T, 80), `x_lens` (N,) to `encoder_out` (N, T', joiner_dim) and its lengths.

    Frames past a length never reach those before it: a batch gives what its members give alone.
    """
    kernel = OFFLINE[family]
    g = Graph("encoder", rng)
    x = g.input("x", FLOAT, [batch, "T", FEATURES])
    x_lens = g.input("x_lens", INT64, [batch])
    fronted = front(g, x, kernel)
    lengths = g.op("Div", g.op("Sub", x_lens, g.ints(kernel - 4)), g.ints(4))
    mask = _mask(g, fronted.name, lengths)
    scale = g.unsqueeze(g.unsqueeze(g.op("Cast", lengths, to=FLOAT), 1), 2)
    h = fronted
    for _ in range(LAYERS):
        h = Frames(g.op("Mul", h.name, mask), h.width)
        taps = g.normal(h.width, 1, 2 * REACH + 1, scale=(2 * REACH + 1) ** -0.5)
        turned = g.transpose(h.name, "ntc", "nct")
        near = g.op("Conv", turned, taps, group=h.width, pads=[REACH, REACH])
        near = g.linear(g.transpose(near, "nct", "ntc"), h.width, WIDTH, gain=1.5)
        mean = g.op("Div", g.op("ReduceSum", h.name, g.ints(1), keepdims=1), scale)
        h = add_reads(g, h, WIDTH, [near, g.linear(mean, h.width, WIDTH, gain=2.0)])
    head(g, h, fronted, [batch, "T", joiner_dim])
    g.output("encoder_out_lens", lengths, INT64, [batch])
    model_type = family.removeprefix("offline-")
    return g.model(
        {
            "model_type": model_type,
            "version": "1",
            "model_author": "k2-fsa",
            "comment": f"non-streaming {model_type}",
        }
    )


def _mask(g: Graph, frames: str, lengths: str) -> str:
    """One within each length and zero past it, (N, T', 1)."""
    count = g.op("Gather", g.op("Shape", frames), g.const(1, np.int64))
    steps = g.op("Range", g.const(0, np.int64), count, g.const(1, np.int64))
    inside = g.op("Less", g.unsqueeze(steps, 0), g.unsqueeze(lengths, 1))
    return g.unsqueeze(g.op("Cast", inside, to=FLOAT), 2)
