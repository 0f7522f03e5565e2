"""The three graphs of an icefall streaming transducer, cut from a trained student."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.student import CHUNK, FRAMES_PER_STEP, LEFT, LOOKAHEAD, Cache, Student

__all__ = ["ExportDecoder", "ExportEncoder", "ExportJoiner", "encoder_metadata", "initial_states"]

WINDOW = CHUNK * FRAMES_PER_STEP + LOOKAHEAD
STEP = CHUNK * FRAMES_PER_STEP


class ExportEncoder(nn.Module):
    """One chunk under the `conformer` contract: stacked caches, the batch on axis 2."""

    def __init__(self, student: Student) -> None:
        super().__init__()
        self.encoder = student.encoder
        self.to_joiner = student.to_joiner

    def forward(
        self, x: Tensor, cached_attn: Tensor, cached_conv: Tensor, processed_lens: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Features (N, WINDOW, 80) to encoder_out (N, CHUNK, joiner_dim) and the new caches."""
        past = [
            Cache(a.transpose(0, 1), c.transpose(0, 1))
            for a, c in zip(cached_attn, cached_conv, strict=True)
        ]
        encoded, new = self.encoder.stream(x, past, processed_lens)
        attention = torch.stack([cache.attention.transpose(0, 1) for cache in new])
        convolution = torch.stack([cache.convolution.transpose(0, 1) for cache in new])
        return self.to_joiner(encoded), attention, convolution


class ExportDecoder(nn.Module):
    """The predictor: (N, 2) tokens to (N, joiner_dim)."""

    def __init__(self, student: Student) -> None:
        super().__init__()
        self.predictor = student.predictor

    def forward(self, y: Tensor) -> Tensor:
        """Apply the predictor."""
        return self.predictor(y)


class ExportJoiner(nn.Module):
    """The joiner: two (N, joiner_dim) to (N, vocab) logits."""

    def __init__(self, student: Student) -> None:
        super().__init__()
        self.student_joiner = student.joiner

    def forward(self, encoder_out: Tensor, decoder_out: Tensor) -> Tensor:
        """Apply the joiner."""
        return self.student_joiner(torch.tanh(encoder_out + decoder_out))


def initial_states(student: Student, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Caches and counter of `count` streams that have heard nothing."""
    config = student.config
    return (
        torch.zeros(config.layers, LEFT, count, config.dim),
        torch.zeros(config.layers, config.kernel - 1, count, config.dim),
        torch.zeros(count, dtype=torch.long),
    )


def encoder_metadata(student: Student) -> dict[str, str]:
    """What sherpa-onnx reads of a streaming conformer."""
    config = student.config
    return {
        "model_type": "conformer",
        "version": "1",
        "model_author": "wyoming-stt",
        "comment": "streaming conformer transducer, English home commands",
        "T": str(WINDOW),
        "decode_chunk_len": str(STEP),
        "pad_length": str(LOOKAHEAD),
        "chunk_size": str(CHUNK),
        "left_context": str(LEFT),
        "right_context": "0",
        "num_encoder_layers": str(config.layers),
        "encoder_dim": str(config.dim),
        "cnn_module_kernel": str(config.kernel),
    }
