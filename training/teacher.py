"""The teacher: a streaming transducer whose encoder output the student reproduces."""

from __future__ import annotations

from pathlib import Path

import kaldi_native_fbank
import numpy as np
import onnxruntime
from numpy.typing import NDArray

__all__ = ["Teacher", "fbank"]

SUBSAMPLING = 4
TAIL_SAMPLES = 8000
"""Silence fed after the audio, so that its last frames are inside a decoded chunk."""


def fbank(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """80 log mel energies every 10 ms as icefall models expect them: (frames, 80)."""
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.snip_edges = False
    options.mel_opts.num_bins = 80
    options.mel_opts.high_freq = -400
    extractor = kaldi_native_fbank.OnlineFbank(options)
    extractor.accept_waveform(16000, samples)
    extractor.input_finished()
    frames = [extractor.get_frame(i) for i in range(extractor.num_frames_ready)]
    return np.stack(frames).astype(np.float32) if frames else np.zeros((0, 80), np.float32)


class Teacher:
    """Runs a streaming icefall transducer over whole utterances on one thread."""

    def __init__(self, folder: Path) -> None:
        self._encoder, self._decoder, self._joiner = (
            _session(next(iter(sorted(folder.glob(f"{part}*.onnx")))))
            for part in ("encoder", "decoder", "joiner")
        )
        meta = self._encoder.get_modelmeta().custom_metadata_map
        self._window, self._step = int(meta["T"]), int(meta["decode_chunk_len"])
        self._states = self._encoder.get_inputs()[1:]
        self._symbols = _read_tokens(folder / "tokens.txt")

    def listen(self, samples: NDArray[np.float32]) -> tuple[NDArray[np.float16], str]:
        """Returns encoder output (frames, dims), 25 a second, and the greedy transcript."""
        encoded = self._encode(fbank(np.concatenate([samples, np.zeros(TAIL_SAMPLES, np.float32)])))
        frames = min(len(encoded), len(samples) // 160 // SUBSAMPLING + 1)
        return encoded[:frames].astype(np.float16), self._decode(encoded)

    def _encode(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        states = {
            s.name: np.zeros([_size(n) for n in s.shape], _dtype(s.type)) for s in self._states
        }
        chunks = []
        for start in range(0, len(features) - self._window + 1, self._step):
            encoded, *new = self._encoder.run(
                None, {"x": features[None, start : start + self._window], **states}
            )
            states = {s.name: value for s, value in zip(self._states, new, strict=True)}
            chunks.append(encoded[0])
        return np.concatenate(chunks)

    def _decode(self, encoded: NDArray[np.float32]) -> str:
        context, said = [-1, 0], []
        predicted = self._decoder.run(None, {"y": np.array([context])})[0]
        for frame in encoded:
            token = int(
                self._joiner.run(None, {"encoder_out": frame[None], "decoder_out": predicted})[
                    0
                ].argmax()
            )
            if self._symbols[token] not in ("<blk>", "<unk>"):
                said.append(self._symbols[token])
                context = [context[1], token]
                predicted = self._decoder.run(None, {"y": np.array([context])})[0]
        return "".join(said).replace("▁", " ").strip().lower()


def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options)


def _read_tokens(path: Path) -> dict[int, str]:
    rows = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
    return {int(row[-1]): row[0] if len(row) == 2 else " " for row in rows}


def _size(dimension: int | str) -> int:
    return dimension if isinstance(dimension, int) else 1


def _dtype(name: str) -> type:
    return np.int64 if "int64" in name else np.float32
