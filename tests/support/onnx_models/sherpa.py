"""What sherpa-onnx makes of a model folder: the judge of the file formats and of the search."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
import sherpa_onnx
from numpy.typing import NDArray

__all__ = ["Decoded", "decode"]


@dataclass(frozen=True, slots=True)
class Decoded:
    tokens: list[str]
    """Pieces as sherpa-onnx shows them: a space for the word mark."""
    timestamps: list[float]
    """Seconds, one a token."""
    text: str


def decode(
    folder: Path,
    sounds: Sequence[NDArray[np.float32]],
    method: str = "greedy_search",
    *,
    suffix: str = ".onnx",
    **options: object,
) -> list[Decoded]:
    """Decode whole sounds together, in one batch; nothing is appended to any of them.

    Args:
        folder: holds encoder, decoder, joiner and `tokens.txt`.
        sounds: each (N,) samples in [-1, 1] at 16 kHz.
        method: `greedy_search` or `modified_beam_search`.
        suffix: `.int8.onnx` for the quantised twins.
        options: more arguments of `from_transducer`.
    """
    encoder = ort.InferenceSession(folder / f"encoder{suffix}").get_modelmeta()
    online = "decode_chunk_len" in encoder.custom_metadata_map
    kind = sherpa_onnx.OnlineRecognizer if online else sherpa_onnx.OfflineRecognizer
    recognizer = kind.from_transducer(
        **{name: str(folder / (name + suffix)) for name in ("encoder", "decoder", "joiner")},
        tokens=str(folder / "tokens.txt"),
        num_threads=1,
        decoding_method=method,
        **options,
    )
    streams = [recognizer.create_stream() for _ in sounds]
    for stream, sound in zip(streams, sounds, strict=True):
        stream.accept_waveform(16_000, sound)
    if not online:
        recognizer.decode_streams(streams)
        results = [stream.result for stream in streams]
        return [Decoded(r.tokens, r.timestamps, r.text) for r in results]
    for stream in streams:
        stream.input_finished()
    while ready := [stream for stream in streams if recognizer.is_ready(stream)]:
        recognizer.decode_streams(ready)
    return [
        Decoded(recognizer.tokens(s), recognizer.timestamps(s), recognizer.get_result(s))
        for s in streams
    ]
