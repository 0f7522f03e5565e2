"""Model folders on disk, as a user would unpack them."""

import zlib
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic

from tests.support.onnx_models.offline import OFFLINE, offline_encoder
from tests.support.onnx_models.predictor import decoder, joiner
from tests.support.onnx_models.streaming import STREAMING
from tests.support.onnx_models.vocabulary import Vocabulary

__all__ = ["FAMILIES", "JOINER_DIM", "OFFLINE_FAMILIES", "STREAMING_FAMILIES", "build", "save"]

STREAMING_FAMILIES: Final = tuple(STREAMING)
OFFLINE_FAMILIES: Final = tuple(OFFLINE)
FAMILIES: Final = STREAMING_FAMILIES + OFFLINE_FAMILIES

JOINER_DIM: Final = 40


def build(
    family: str,
    folder: Path,
    *,
    seed: int = 0,
    vocab_size: int = 60,
    bytes_fallback: bool = False,
    int8: bool = False,
    dynamic_batch: bool = True,
) -> Path:
    """Write a transducer with random weights: encoder, decoder, joiner and `tokens.txt`.

    Args:
        family: one of `FAMILIES`.
        folder: where to; made when it is absent.
        seed: the same seed gives the same bytes.
        vocab_size: pieces, the three special ones included.
        bytes_fallback: 256 more pieces, `<0x00>` to `<0xFF>`, from id 3 on.
        int8: `.int8.onnx` twins beside the others, only their MatMul quantised.
        dynamic_batch: an encoder for any batch; False fixes it at one, as some exports do.

    Returns:
        The folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    batch = "N" if dynamic_batch else 1
    vocabulary = Vocabulary.make(vocab_size, bytes_fallback=bytes_fallback)
    rng = np.random.default_rng((seed, zlib.crc32(family.encode())))
    if family in STREAMING:
        encoder = STREAMING[family](rng, JOINER_DIM, batch)
    else:
        encoder = offline_encoder(family, rng, JOINER_DIM, batch)
    models = {
        "encoder": encoder,
        "decoder": decoder(vocabulary, JOINER_DIM, rng),
        "joiner": joiner(vocabulary, JOINER_DIM, rng),
    }
    for name, model in models.items():
        save(model, folder / f"{name}.onnx", int8=int8)
    (folder / "tokens.txt").write_text(vocabulary.text, encoding="utf-8")
    return folder


def save(model: onnx.ModelProto, path: Path, *, int8: bool) -> None:
    """Write a model, and its `.int8.onnx` twin, quantised as the icefall exports are."""
    onnx.save(model, path)
    if int8:
        quantize_dynamic(
            path,
            path.with_suffix(".int8.onnx"),
            op_types_to_quantize=["MatMul"],
            weight_type=QuantType.QInt8,
        )
