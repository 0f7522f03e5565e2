"""A plain decoding loop over a model folder, open to every mistake that one may want to make."""

from collections.abc import Callable
from pathlib import Path

import kaldi_native_fbank as knf
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

__all__ = ["Nets", "States", "features"]

Floats = NDArray[np.float32]
States = dict[str, NDArray[np.float32] | NDArray[np.int64]]


class Nets:
    """The three sessions of a folder, for one utterance at a time."""

    def __init__(self, folder: Path) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.encoder, self.decoder, self.joiner = (
            ort.InferenceSession(folder / f"{name}.onnx", options)
            for name in ("encoder", "decoder", "joiner")
        )
        table = (folder / "tokens.txt").read_text(encoding="utf-8")
        self.pieces = [line.split(" ")[0].replace("\u2581", " ") for line in table.splitlines()]
        metadata = self.encoder.get_modelmeta().custom_metadata_map
        self.chunk, self.window = (
            int(metadata.get("decode_chunk_len", 0)),
            int(metadata.get("T", 0)),
        )
        self.inputs = {node.name: node for node in self.encoder.get_inputs()[1:]}
        outputs = {node.name for node in self.encoder.get_outputs()}
        self.returned = {
            name: node.shape for name, node in self.inputs.items() if f"new_{name}" in outputs
        }

    def zeros(self) -> States:
        """The states of the beginning."""
        kinds = {"tensor(float)": np.float32, "tensor(int64)": np.int64}
        return {
            name: np.zeros([1 if size == "N" else size for size in node.shape], kinds[node.type])
            for name, node in self.inputs.items()
        }

    def step(self, x: Floats, states: States, processed: int) -> tuple[Floats, States]:
        """Run one chunk (1, T, 80) to (1, S // 4, joiner_dim) and the new states."""
        if "processed_lens" in self.inputs and "processed_lens" not in self.returned:
            states = states | {"processed_lens": np.array([processed])}
        out, *new = self.encoder.run(None, {"x": x} | states)
        return out, dict(zip(self.returned, new, strict=True))

    def encode(self, x: Floats) -> Floats:
        """Run features (1, T, 80) through, from the beginning."""
        if self.chunk:
            return self.step(x, self.zeros(), 0)[0]
        return self.encoder.run(None, {"x": x, "x_lens": np.array([x.shape[1]])})[0]

    def decode(
        self,
        samples: Floats,
        handle: Callable[[States], States] = lambda states: states,
        *,
        step: int | None = None,
        units: int = 1,
    ) -> list[str]:
        """Search greedily, right or wrong.

        Args:
            samples: (N,) in [-1, 1] at 16 kHz.
            handle: what it returns is carried to the next chunk instead of what it is given.
            step: feature frames to move on by, instead of the model's own.
            units: feature frames in one of what the caller counts, which is one.
        """
        frames = features(samples)
        if not self.chunk:
            return self._search(self.encode(frames[None])[0])
        states, outs, start = self.zeros(), [], 0
        while start + self.window < len(frames):  # sherpa-onnx waits for one frame more
            x = frames[None, start : start + self.window]
            out, new = self.step(x, states, start // units)
            outs.extend(out[0])
            states = self.zeros() | handle(new)
            start += step or self.chunk
        return self._search(np.stack(outs))

    def _search(self, encoder_out: Floats) -> list[str]:
        tokens = [-1, 0]
        context = self._context(tokens)
        for frame in encoder_out:
            feed = {"encoder_out": frame[None], "decoder_out": context}
            best = int(self.joiner.run(None, feed)[0].argmax())
            if best not in {0, 2}:  # <unk> counts as blank
                tokens.append(best)
                context = self._context(tokens)
        return [self.pieces[token] for token in tokens[2:]]

    def _context(self, tokens: list[int]) -> Floats:
        return self.decoder.run(None, {"y": np.array([tokens[-2:]])})[0]


def features(samples: Floats) -> Floats:
    """Kaldi's log-mel energies (T, 80), by the library that sherpa-onnx has them from."""
    options = knf.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.snip_edges = False
    options.mel_opts.num_bins = 80
    options.mel_opts.high_freq = -400
    fbank = knf.OnlineFbank(options)
    fbank.accept_waveform(16_000, samples)
    fbank.input_finished()
    return np.stack([fbank.get_frame(i) for i in range(fbank.num_frames_ready)])
