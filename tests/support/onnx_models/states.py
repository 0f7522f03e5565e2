"""The states of streaming encoders: how each kind is read, and what it turns into.

A layer sees hidden frames `h` and the states of before. Every element of every
state reaches the output with a weight of its own, and every new state holds projections of `h`:
swapping two states, forgetting one, or feeding one twice gives other numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from tests.support.onnx_models.graph import FLOAT, INT64, Dim, Frames, Graph

__all__ = ["READERS", "State"]

PERIOD: Final = 61
"""Counters count modulo this; a prime, so that wrong units never fall into step."""
KEEP: Final = 0.6
"""How much of a running average survives a chunk."""
FREQUENCIES: Final = 19
"""Of 80 mel bins after two halvings: the last axis of zipformer2's `embed_states`."""


@dataclass(frozen=True, slots=True)
class State:
    """One state tensor. `axes` names its axes in order, of:

    l: layers of a stack, n: batch, t: frames kept, c: channels, f: frequencies, 1: nothing.
    """

    name: str
    kind: str
    axes: str
    layers: int = 1
    frames: int = 0
    channels: int = 0
    step: int | None = None
    """What a counter adds for each chunk; None: the caller counts, and nothing is returned."""

    @property
    def dtype(self) -> int:
        return INT64 if self.kind == "counter" else FLOAT

    def shape(self, batch: Dim) -> list[Dim]:
        sizes: dict[str, Dim] = {
            "l": self.layers,
            "n": batch,
            "t": self.frames,
            "c": self.channels,
            "f": FREQUENCIES,
            "1": 1,
        }
        return [sizes[axis] for axis in self.axes]


Reader = Callable[[Graph, State, str, Frames, int], tuple[str, str | None]]
"""(graph, state, its value for this layer, h, width of the read) -> (read, new value).

The read is (N, T', width), or (N, 1, width) where it is the same for every frame.
"""


def _cache(g: Graph, state: State, old: str, h: Frames, out: int) -> tuple[str, str | None]:
    """Keep the last frames of a projection, and convolve over them: the left context."""
    axes = state.axes.replace("l", "")
    plain = axes.replace("1", "")
    if "1" in axes:
        old = g.squeeze(old, axes.index("1"))
    fresh = g.op("Tanh", g.linear(*h, state.channels))
    both = g.op("Concat", g.transpose(old, plain, "nct"), g.transpose(fresh, "ntc", "nct"), axis=2)
    read = _causal(g, both, state)
    kept = g.transpose(_last(g, both, state.frames), "nct", plain)
    if "1" in axes:
        kept = g.unsqueeze(kept, axes.index("1"))
    return g.linear(g.transpose(read, "nct", "ntc"), state.channels, out), kept


def _embed(g: Graph, state: State, old: str, h: Frames, out: int) -> tuple[str, str | None]:
    """Do the same with a spectrum per channel, (N, C, T', F), read through one weight a bin."""
    by_channel = g.unsqueeze(g.transpose(g.linear(*h, state.channels), "ntc", "nct"), 3)
    by_bin = g.unsqueeze(g.linear(*h, FREQUENCIES), 1)
    fresh = g.op("Tanh", g.op("Add", by_channel, by_bin))
    both = g.op("Concat", old, fresh, axis=2)
    weighted = g.op("Mul", both, g.normal(state.channels, 1, FREQUENCIES, scale=0.3))
    read = _causal(g, g.op("ReduceSum", weighted, g.ints(3), keepdims=0), state)
    kept = _last(g, both, state.frames)
    return g.linear(g.transpose(read, "nct", "ntc"), state.channels, out), kept


def _average(g: Graph, state: State, old: str, h: Frames, out: int) -> tuple[str, str | None]:
    """Follow the mean of a projection, as the pooling module of the first zipformer does."""
    mean = g.op("ReduceMean", g.op("Tanh", g.linear(*h, state.channels)), axes=[1])
    new = g.op(
        "Add",
        g.op("Mul", old, g.const(KEEP)),
        g.op("Mul", g.squeeze(mean, 1), g.const(1 - KEEP)),
    )
    return g.unsqueeze(g.linear(old, state.channels, out, gain=2.0), 1), new


def _counter(g: Graph, state: State, old: str, _h: Frames, out: int) -> tuple[str, str | None]:
    """Look the count up in a table, so that it matters however far it has come."""
    phase = g.op("Mod", old, g.const(PERIOD, np.int64))
    read = g.unsqueeze(g.op("Gather", g.normal(PERIOD, out, scale=0.7), phase), 1)
    if state.step is None:
        return read, None
    return read, g.op("Add", old, g.const(state.step, np.int64))


READERS: Final[dict[str, Reader]] = {
    "cache": _cache,
    "embed": _embed,
    "average": _average,
    "counter": _counter,
}


def _causal(g: Graph, both: str, state: State) -> str:
    taps = g.normal(state.channels, 1, state.frames + 1, scale=(state.frames + 1) ** -0.5)
    return g.op("Conv", both, taps, group=state.channels)


def _last(g: Graph, x: str, frames: int) -> str:
    return g.op("Slice", x, g.ints(-frames), g.ints(np.iinfo(np.int64).max), g.ints(2))
