"""What the teacher would write for the frames that a student imitates.

Of 320 numbers a frame most decide nothing, and a student that is right on average of them all is
read as silence by the teacher's own joiner. So the student is told, too, how far the
probabilities of the teacher's tokens are from what they should be (Kullback and Leibler's
divergence, as Panchapagesan et al., "Efficient knowledge distillation for RNN-transducer models",
2021, with the one token that the teacher has written before a frame instead of the whole lattice).
Predictor and joiner are those of an icefall transducer with a stateless predictor of two tokens.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["TeacherReader"]

BLANK = 0
Weights = dict[str, NDArray[np.float32]]


class TeacherReader(nn.Module):
    """The teacher's predictor and joiner, which nothing changes."""

    def __init__(self, predictor: Weights, joiner: Weights) -> None:
        super().__init__()
        embedding = torch.from_numpy(predictor["decoder.embedding.weight"])
        kernel = torch.from_numpy(predictor["decoder.conv.weight"])
        older, newer = (_convolved(embedding, kernel[:, :, place]) for place in (0, 1))
        self.register_buffer("older", older)  # (tokens, dims): what a token adds to the sum
        self.register_buffer("newer", newer)
        self.register_buffer("project", torch.from_numpy(predictor["decoder_proj.weight"]))
        self.register_buffer("offset", torch.from_numpy(predictor["decoder_proj.bias"]))
        self.register_buffer("output", torch.from_numpy(joiner["output_linear.weight"]))
        self.register_buffer("bias", torch.from_numpy(joiner["output_linear.bias"]))

    @classmethod
    def load(cls, folder: Path) -> TeacherReader:
        """Read the graphs of an exported model; its joiner may be quantized.

        Raises:
            KeyError: The graphs are not those of a stateless predictor of two tokens.
        """
        graphs = (
            next(iter(sorted(folder.glob(f"{part}*.onnx")))) for part in ("decoder", "joiner")
        )
        predictor, joiner = map(_weights, graphs)
        if "output_linear.weight_quantized" in joiner:
            joiner["output_linear.weight"] = _dequantized(joiner, "output_linear.weight").T
        return cls(predictor, joiner)

    def logits(self, frames: Tensor, predicted: Tensor) -> Tensor:
        """Of the tokens, (..., tokens), for frames and what was predicted, both (..., dims)."""
        return F.linear(torch.tanh(frames + predicted), self.output, self.bias)

    @torch.no_grad()
    def predicted(self, frames: Tensor) -> Tensor:
        """The predictor's output before each of the teacher's frames, (N, T, dims)."""
        count = len(frames)
        none = torch.zeros_like(self.older[0])
        older, newer = none.expand(count, -1), self.newer[BLANK].expand(count, -1)
        before = torch.full((count,), BLANK, device=frames.device)
        state, states = self._project(older + newer), []
        for frame in frames.unbind(1):
            states.append(state)
            token = self.logits(frame, state).argmax(-1)
            said = (token != BLANK)[:, None]
            if said.any():
                older = torch.where(said, self.older[before], older)
                newer = torch.where(said, self.newer[token], newer)
                before = torch.where(said[:, 0], token, before)
                state = self._project(older + newer)
        return torch.stack(states, 1)

    def loss(self, imitated: Tensor, frames: Tensor, lengths: Tensor) -> Tensor:
        """Divergence of what imitated frames would write from what the teacher's do.

        Args:
            imitated: (N, T, dims), of which T may differ from that of `frames`.
            frames: (N, T, dims), the teacher's.
            lengths: (N,), how many of them count.

        Returns:
            Its mean over frames, in nats.
        """
        total = min(imitated.shape[1], frames.shape[1])
        imitated, frames = imitated[:, :total], frames[:, :total]
        valid = torch.arange(total, device=lengths.device) < lengths[:, None]
        state = self.predicted(frames)[valid]
        with torch.no_grad():
            wanted = F.log_softmax(self.logits(frames[valid], state), -1)
        given = F.log_softmax(self.logits(imitated[valid], state), -1)
        return F.kl_div(given, wanted, log_target=True, reduction="sum") / valid.sum().clamp_min(1)

    def _project(self, total: Tensor) -> Tensor:
        return F.linear(F.relu(total), self.project, self.offset)


def _convolved(embedding: Tensor, kernel: Tensor) -> Tensor:
    """What each token adds at its place of a grouped convolution: (tokens, dims)."""
    dims, width = kernel.shape
    grouped = embedding.view(len(embedding), dims // width, width)
    return torch.einsum("tgi,goi->tgo", grouped, kernel.view(-1, width, width)).flatten(1)


def _weights(path: Path) -> Weights:
    return {t.name: numpy_helper.to_array(t).copy() for t in onnx.load(path).graph.initializer}


def _dequantized(weights: Weights, name: str) -> NDArray[np.float32]:
    quantized = weights[f"{name}_quantized"].astype(np.float32)
    scaled = quantized - weights[f"{name}_zero_point"].astype(np.float32)
    return np.ascontiguousarray(scaled * weights[f"{name}_scale"])
