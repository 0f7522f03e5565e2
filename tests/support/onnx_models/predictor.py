"""The stateless decoder and the joiner, as icefall exports them.

Two of the joiner's channels are not random. They make the output usable as text:

`LOUDNESS` comes from the encoder, above zero in speech and below it in silence, and holds the
blank's logit up in silence. `MID_CHARACTER` comes from the decoder, above zero after the first
byte of a character, and lets only the second byte follow.
"""

from statistics import NormalDist
from typing import Final

import numpy as np
import onnx

from tests.support.onnx_models.graph import FLOAT, INT64, Graph
from tests.support.onnx_models.vocabulary import Vocabulary

__all__ = ["LOUDNESS", "MID_CHARACTER", "RESERVED", "decoder", "joiner"]

LOUDNESS: Final = 0
MID_CHARACTER: Final = 1
RESERVED: Final = 2

CONTEXT: Final = 2
EMBEDDING: Final = 24
DECODER_GAIN: Final = 0.9
"""Deviation of `decoder_out`, beside about one of `encoder_out`: what was said last matters."""
RELU_MEAN: Final = 0.40
RELU_DEVIATION: Final = 0.58
"""Of the positive part of a unit normal."""
LOGIT: Final = 4.0
"""Deviation of the logits: peaked, yet the second best is worth a place in a beam."""
BLANK_MARGIN: Final = 0.2
"""How far, in deviations, the blank stands above the largest of the others in speech."""
HOLD: Final = 4.0
"""Half of what silence adds to the blank's logit, and the force of the byte rule."""
SATURATED: Final = 3.0
"""tanh(3) is 0.995: as good as on."""
NEVER: Final = -40.0


def decoder(vocabulary: Vocabulary, joiner_dim: int, rng: np.random.Generator) -> onnx.ModelProto:
    """Map `y` (N, 2), of which -1 stands for nothing, to `decoder_out` (N, joiner_dim)."""
    size = len(vocabulary.pieces)
    embedding = rng.normal(0.0, 1.0, (size, EMBEDDING))
    embedding[:, 0] = 0.0
    embedding[list(vocabulary.leads), 0] = 1.0
    taps = rng.normal(0.0, CONTEXT**-0.5, (EMBEDDING, 1, CONTEXT))
    taps[0] = (0.0, 1.0)
    weight = rng.normal(0.0, 1.0, (joiner_dim, EMBEDDING))
    weight[:, 0] = 0.0
    weight *= DECODER_GAIN / (RELU_DEVIATION * np.linalg.norm(weight, axis=1, keepdims=True))
    bias = -RELU_MEAN * weight.sum(axis=1)
    weight[:RESERVED] = bias[:RESERVED] = 0.0
    weight[MID_CHARACTER, 0] = 2 * SATURATED
    bias[MID_CHARACTER] = -SATURATED

    g = Graph("decoder", rng)
    y = g.input("y", INT64, ["N", CONTEXT])
    known = g.op("Clip", y, g.const(0, np.int64))
    present = g.op("GreaterOrEqual", y, g.const(0, np.int64))
    present = g.unsqueeze(g.op("Cast", present, to=FLOAT), 2)
    embedded = g.op("Mul", g.op("Gather", g.const(embedding), known), present)
    embedded = g.transpose(embedded, "ntc", "nct")
    mixed = g.op("Relu", g.op("Conv", embedded, g.const(taps), group=EMBEDDING))
    out = g.op("Gemm", g.squeeze(mixed, 2), g.const(weight), g.const(bias), transB=1)
    g.output("decoder_out", out, FLOAT, ["N", joiner_dim])
    return g.model({"context_size": str(CONTEXT), "vocab_size": str(size)})


def joiner(vocabulary: Vocabulary, joiner_dim: int, rng: np.random.Generator) -> onnx.ModelProto:
    """Map `encoder_out` and `decoder_out` (N, joiner_dim) to `logit` (N, vocab_size)."""
    size = len(vocabulary.pieces)
    weight = rng.normal(0.0, 1.0, (joiner_dim, size))
    weight[:RESERVED] = 0.0
    # One length for all, so that none is written more often than another; the second moment of
    # tanh, over what the two nets send it, is about one half.
    weight *= LOGIT / (0.5 * (joiner_dim - RESERVED)) ** 0.5
    weight /= np.linalg.norm(weight, axis=0) / np.linalg.norm(weight, axis=0).mean()
    weight[:, 0] = 0.0
    weight[LOUDNESS, 0] = -HOLD
    if vocabulary.leads:
        weight[MID_CHARACTER, 1:] = -HOLD
        weight[MID_CHARACTER, list(vocabulary.continuations)] = HOLD
    weight[RESERVED:, list(vocabulary.unused)] = 0.0
    bias = np.zeros(size)
    bias[list(vocabulary.unused)] = NEVER
    rivals = size - len(vocabulary.unused) - len(vocabulary.continuations)
    bias[0] = LOGIT * (_expected_maximum(rivals) + BLANK_MARGIN) + HOLD
    if vocabulary.leads:
        bias[0] += HOLD  # outside a character the rule lifts every plain piece by as much

    g = Graph("joiner", rng)
    encoder_out = g.input("encoder_out", FLOAT, ["N", joiner_dim])
    decoder_out = g.input("decoder_out", FLOAT, ["N", joiner_dim])
    mixed = g.op("Tanh", g.op("Add", encoder_out, decoder_out))
    logit = g.op("Gemm", mixed, g.const(weight), g.const(bias))
    g.output("logit", logit, FLOAT, ["N", size])
    return g.model({"joiner_dim": str(joiner_dim)})


def _expected_maximum(count: int) -> float:
    """Estimate the largest of `count` unit normal draws (Blom's formula)."""
    return NormalDist().inv_cdf((count - 0.375) / (count + 0.25))
