"""Streaming encoders: every family's state tensors and metadata, around one kind of layer.

Names, shapes, order, batch axes and metadata are those of the icefall exports; the sizes are
small, and differ wherever two that must not be mixed up could be equal.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import Final

import numpy as np
import onnx

from tests.support.onnx_models.encoder import FEATURES, add_reads, front, head
from tests.support.onnx_models.graph import FLOAT, Dim, Frames, Graph
from tests.support.onnx_models.states import READERS, State

__all__ = ["STREAMING", "Encoder"]

Encoder = Callable[[np.random.Generator, int, Dim], onnx.ModelProto]
"""(rng, joiner_dim, batch: "N" or 1) -> encoder."""


@dataclass(frozen=True, slots=True)
class Layer:
    width: int
    reads: tuple[tuple[State, int], ...]
    """The states it reads, each with the layer inside that state."""


def _zipformer2(rng: np.random.Generator, joiner_dim: int, batch: Dim) -> onnx.ModelProto:
    chunk, window = 32, 45
    depths, widths, kernels, lefts = (2, 1), (16, 24), (9, 7), (12, 6)
    query_dims, value_dims, heads = (4, 3), (3, 2), (2, 4)
    # Counted at 50 frames a second: two for each frame of encoder_out.
    embed = State("embed_states", "embed", "nctf", frames=3, channels=128)
    processed = State("processed_lens", "counter", "n", step=chunk // 2)
    layers: list[Layer] = []
    for stack, depth in enumerate(depths):
        width, left, conv = widths[stack], lefts[stack], kernels[stack] // 2
        key = query_dims[stack] * heads[stack]
        value = value_dims[stack] * heads[stack]
        for _ in range(depth):
            j = len(layers)
            states = (
                State(f"cached_key_{j}", "cache", "tnc", frames=left, channels=key),
                State(
                    f"cached_nonlin_attn_{j}", "cache", "1ntc", frames=left, channels=3 * width // 4
                ),
                State(f"cached_val1_{j}", "cache", "tnc", frames=left, channels=value),
                State(f"cached_val2_{j}", "cache", "tnc", frames=left, channels=value),
                State(f"cached_conv1_{j}", "cache", "nct", frames=conv, channels=width),
                State(f"cached_conv2_{j}", "cache", "nct", frames=conv, channels=width),
            )
            layers.append(Layer(width, tuple((state, 0) for state in states)))
    order = [state for layer in layers for state, _ in layer.reads] + [embed, processed]
    layers[0] = Layer(layers[0].width, (*layers[0].reads, (embed, 0), (processed, 0)))
    metadata = {
        **_metadata("zipformer2", chunk, window),
        "comment": "streaming zipformer2",
        "num_encoder_layers": _listed(depths),
        "encoder_dims": _listed(widths),
        "cnn_module_kernels": _listed(kernels),
        "left_context_len": _listed(lefts),
        "query_head_dims": _listed(query_dims),
        "value_head_dims": _listed(value_dims),
        "num_heads": _listed(heads),
    }
    return _encoder(rng, joiner_dim, batch, order=order, layers=layers, metadata=metadata)


def _zipformer(rng: np.random.Generator, joiner_dim: int, batch: Dim) -> onnx.ModelProto:
    chunk, window = 32, 39
    depths, widths, attentions = (2, 1), (16, 20), (8, 12)
    kernels, lefts, downsampling = (7, 5), (12, 6), (1, 2)
    stacks: list[list[State]] = []
    for i, depth in enumerate(depths):
        width, attention, left, conv = widths[i], attentions[i], lefts[i], kernels[i] - 1
        frames = chunk // 2 // downsampling[i]
        stacks.append(
            [
                State(f"cached_len_{i}", "counter", "ln", depth, step=frames),
                State(f"cached_avg_{i}", "average", "lnc", depth, channels=width),
                State(f"cached_key_{i}", "cache", "ltnc", depth, left, attention),
                State(f"cached_val_{i}", "cache", "ltnc", depth, left, attention // 2),
                State(f"cached_val2_{i}", "cache", "ltnc", depth, left, attention // 2),
                State(f"cached_conv1_{i}", "cache", "lnct", depth, conv, width),
                State(f"cached_conv2_{i}", "cache", "lnct", depth, conv, width),
            ]
        )
    layers = [
        Layer(widths[i], tuple((state, layer) for state in states))
        for i, states in enumerate(stacks)
        for layer in range(depths[i])
    ]
    order = list(chain.from_iterable(zip(*stacks, strict=True)))  # by kind, then by stack
    metadata = {
        **_metadata("zipformer", chunk, window),
        "num_encoder_layers": _listed(depths),
        "encoder_dims": _listed(widths),
        "attention_dims": _listed(attentions),
        "cnn_module_kernels": _listed(kernels),
        "left_context_len": _listed(lefts),
    }
    return _encoder(rng, joiner_dim, batch, order=order, layers=layers, metadata=metadata)


def _conformer(rng: np.random.Generator, joiner_dim: int, batch: Dim) -> onnx.ModelProto:
    chunk, window, depth, width, left, kernel = 64, 75, 2, 18, 20, 7
    order = [
        State("cached_attn", "cache", "ltnc", depth, left, width),
        State("cached_conv", "cache", "ltnc", depth, kernel - 1, width),
        State("processed_lens", "counter", "n"),
    ]
    layers = [Layer(width, ((order[0], layer), (order[1], layer))) for layer in range(depth)]
    layers[0] = Layer(width, (*layers[0].reads, (order[2], 0)))
    metadata = {
        **_metadata("conformer", chunk, window),
        "comment": "stateless5",
        "pad_length": str(window - chunk),
        "encoder_dim": str(width),
        "num_encoder_layers": str(depth),
        "cnn_module_kernel": str(kernel),
        "left_context": str(left),
        "right_context": "0",
        "chunk_size": str(chunk // 4),
    }
    return _encoder(rng, joiner_dim, batch, order=order, layers=layers, metadata=metadata)


def _lstm(rng: np.random.Generator, joiner_dim: int, batch: Dim) -> onnx.ModelProto:
    chunk, window, depth, width, hidden = 4, 9, 2, 18, 28
    g = Graph("encoder", rng)
    x = g.input("x", FLOAT, [batch, window, FEATURES])
    state0 = g.input("state0", FLOAT, [depth, batch, width])
    state1 = g.input("state1", FLOAT, [depth, batch, hidden])
    fronted = front(g, x, window - chunk + 4)
    h = Frames(g.squeeze(fronted.name, 1), fronted.width)  # (N, width): a chunk is one frame
    outs: list[str] = []
    cells: list[str] = []
    for layer in range(depth):
        before = g.op("Gather", state0, g.const(layer, np.int64), axis=0)
        cell = g.op("Gather", state1, g.const(layer, np.int64), axis=0)
        seen = Frames(g.op("Concat", h.name, before, axis=1), h.width + width)
        enter, keep, leave = (g.op("Sigmoid", g.linear(*seen, hidden, gain=2.0)) for _ in range(3))
        fresh = g.op("Tanh", g.linear(*seen, hidden, gain=3.0))
        cell = g.op("Add", g.op("Mul", keep, cell), g.op("Mul", enter, fresh))
        out = g.linear(g.op("Mul", leave, g.op("Tanh", cell)), hidden, width, gain=2.0)
        h = Frames(out, width)
        outs.append(g.unsqueeze(out, 0))
        cells.append(g.unsqueeze(cell, 0))
    head(g, Frames(g.unsqueeze(h.name, 1), width), fronted, [batch, chunk // 4, joiner_dim])
    g.output("new_state0", g.op("Concat", *outs, axis=0), FLOAT, [depth, batch, width])
    g.output("new_state1", g.op("Concat", *cells, axis=0), FLOAT, [depth, batch, hidden])
    return g.model(
        {
            **_metadata("lstm", chunk, window),
            "num_encoder_layers": str(depth),
            "d_model": str(width),
            "rnn_hidden_size": str(hidden),
        }
    )


STREAMING: Final[dict[str, Encoder]] = {
    "zipformer2": _zipformer2,
    "zipformer": _zipformer,
    "conformer": _conformer,
    "lstm": _lstm,
}


def _encoder(
    rng: np.random.Generator,
    joiner_dim: int,
    batch: Dim,
    *,
    order: list[State],
    layers: list[Layer],
    metadata: dict[str, str],
) -> onnx.ModelProto:
    """Stack layers that read their states, with inputs and outputs in the given order."""
    chunk, window = int(metadata["decode_chunk_len"]), int(metadata["T"])
    g = Graph("encoder", rng)
    x = g.input("x", FLOAT, [batch, window, FEATURES])
    for state in order:
        g.input(state.name, state.dtype, state.shape(batch))
    h = fronted = front(g, x, window - chunk + 4)
    new: dict[str, list[str]] = {state.name: [] for state in order}
    for layer in layers:
        reads: list[str] = []
        for state, index in layer.reads:
            layered = "l" in state.axes
            old = state.name
            if layered:
                old = g.op("Gather", old, g.const(index, np.int64), axis=0)
            read, value = READERS[state.kind](g, state, old, h, layer.width)
            reads.append(read)
            if value is not None:
                new[state.name].append(g.unsqueeze(value, 0) if layered else value)
        h = add_reads(g, h, layer.width, reads)
    head(g, h, fronted, [batch, chunk // 4, joiner_dim])
    for state in order:
        values = new[state.name]
        if values:
            value = g.op("Concat", *values, axis=0) if "l" in state.axes else values[0]
            g.output(f"new_{state.name}", value, state.dtype, state.shape(batch))
    return g.model(metadata)


def _metadata(model_type: str, chunk: int, window: int) -> dict[str, str]:
    return {
        "model_type": model_type,
        "version": "1",
        "model_author": "k2-fsa",
        "decode_chunk_len": str(chunk),
        "T": str(window),
    }


def _listed(values: tuple[int, ...]) -> str:
    return ",".join(map(str, values))
