"""The parts that all encoders share: from features to hidden frames, and from there out."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from tests.support.onnx_models.graph import FLOAT, Dim, Frames, Graph
from tests.support.onnx_models.predictor import LOUDNESS, RESERVED

__all__ = ["FEATURES", "FRONT", "add_reads", "front", "head"]

FEATURES: Final = 80
FRONT: Final = 20
"""Channels of the front's output; channel 0 tells speech from silence."""

MELS: Final = 12
CENTRE: Final = -8.0
SPREAD: Final = 5.0
"""Log-mel energies of speech lie about here; digital silence is at -15.9."""
SILENCE: Final = -11.0
SHARPNESS: Final = 0.6
"""A window is speech when its mean log-mel energy is above the first, by tanh of the second."""
GAIN: Final = 2.5
"""Brings the contrasts of real speech to a deviation of about one."""
READS: Final = 2.5
"""Weight of all reads together beside the frames themselves: losing a single state must show."""
LOUD: Final = 3.0
"""What is sent on as loudness, between minus and plus this."""
OUT: Final = 1.3
"""Deviation of `encoder_out`, which is normalised first so that all families speak alike."""
QUIET: Final = 0.02
"""Keeps that from blowing up what is next to nothing."""


def front(g: Graph, x: str, kernel: int) -> Frames:
    """Turn features (N, T, 80) into frames (N, (T - kernel) // 4 + 1, FRONT).

    A frame weighs `kernel` feature frames, beginning four after the frame before it. With
    T - S + 4 of them a streaming window of T gives S // 4 frames, and no feature goes unseen.
    """
    scaled = g.op("Mul", g.op("Add", x, g.const(-CENTRE)), g.const(1 / SPREAD))
    bands = g.op("MatMul", scaled, g.const(_bands(g.rng)))
    taps = g.rng.normal(0.0, GAIN / (MELS * kernel) ** 0.5, (FRONT, MELS, kernel))
    # Mostly contrasts in time: a steady sound says little, a change of level still something.
    taps -= 0.9 * taps.mean(axis=2, keepdims=True)
    bias = np.zeros(FRONT)
    taps[LOUDNESS] = 0.0
    taps[LOUDNESS, 0] = SHARPNESS * SPREAD / kernel
    bias[LOUDNESS] = SHARPNESS * (CENTRE - SILENCE)
    frames = g.op(
        "Conv", g.transpose(bands, "ntc", "nct"), g.const(taps), g.const(bias), strides=[4]
    )
    return Frames(g.op("Tanh", g.transpose(frames, "nct", "ntc")), FRONT)


def add_reads(g: Graph, h: Frames, width: int, reads: Sequence[str]) -> Frames:
    """Finish a layer: the frames themselves and what was read beside them."""
    total = g.linear(*h, width)
    weight = g.const(READS * len(reads) ** -0.5)
    for read in reads:
        total = g.op("Add", total, g.op("Mul", read, weight))
    return Frames(g.op("Tanh", total), width)


def head(g: Graph, h: Frames, fronted: Frames, shape: Sequence[Dim]) -> None:
    """Write `encoder_out`, of (N, T', joiner_dim), from the last layer and the front."""
    *_, joiner_dim = shape
    rows = h.width + fronted.width
    loudness = h.width + LOUDNESS
    both = g.op("Concat", h.name, fronted.name, axis=2)
    power = g.op("ReduceMean", g.op("Mul", both, both), axes=[2])
    both = g.op("Div", both, g.op("Sqrt", g.op("Add", power, g.const(QUIET))))
    weight = g.rng.normal(0.0, OUT / rows**0.5, (rows, joiner_dim))
    weight[:, :RESERVED] = 0.0
    weight[loudness] = 0.0
    weight[loudness, LOUDNESS] = LOUD
    g.output("encoder_out", g.op("MatMul", both, g.const(weight)), FLOAT, shape)


def _bands(rng: np.random.Generator) -> np.ndarray:
    """Draw the weights of MELS overlapping bands of the spectrum; band 0 is its mean."""
    bins = np.arange(FEATURES)[:, None]
    centres = np.linspace(4, FEATURES - 5, MELS)[None, :]
    window = np.exp(-0.5 * ((bins - centres) / 8.0) ** 2)
    weights = window * rng.normal(0.0, 1.0, window.shape)
    weights /= np.linalg.norm(weights, axis=0)
    weights[:, 0] = 1 / FEATURES
    return weights
