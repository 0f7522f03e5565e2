"""The student: a small streaming conformer transducer; one code path trains and streams.

Frames are stacked to 25 a second, the middle blocks run at 12.5 a second (they cost half).
Attention sees its own chunk of 320 ms and LEFT frames before it; convolutions are causal. Keys and
values are half as wide as the model, so that one cache of the model's width holds both and nothing
is projected twice while streaming.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.features import NUM_BINS

__all__ = ["CHUNK", "FRAMES_PER_STEP", "LEFT", "LOOKAHEAD", "Cache", "Student", "StudentConfig"]

CHUNK = 8
"""Encoder frames of 40 ms in a chunk."""
LEFT = 32
"""Frames of the past that attention sees: 1.3 s in the outer blocks, 2.6 s in the middle ones."""
FRAMES_PER_STEP = 4
LOOKAHEAD = 11
"""Feature frames the front end reads past its own step: a chunk needs 4 * CHUNK + 11."""
MEAN, STD = -9.0, 4.5
"""Rough scale of log mel energies of speech in [-1, 1]; part of the model, not of the features."""


@dataclass(frozen=True)
class StudentConfig:
    """Sizes of a student; what a checkpoint needs to build it again."""

    vocab_size: int = 256
    dim: int = 160
    heads: int = 4
    kernel: int = 11
    outer_before: int = 1
    inner: int = 9
    outer_after: int = 1
    joiner_dim: int = 160
    teacher_dim: int = 320
    dropout: float = 0.0

    @property
    def layers(self) -> int:
        """Number of conformer blocks."""
        return self.outer_before + self.inner + self.outer_after

    def to_dict(self) -> dict[str, int | float]:
        """Plain values for a checkpoint."""
        return asdict(self)


class Cache(NamedTuple):
    """What a block remembers of a stream.

    Keys with values (N, LEFT, dim), and inputs of the convolution (N, kernel - 1, dim).
    """

    attention: Tensor
    convolution: Tensor


class FrontEnd(nn.Module):
    """Log mel frames (N, T, 80) to encoder frames (N, (T - 15) // 4 + 1, dim).

    Encoder frame j reads features 4j to 4j + 14.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 8, 3, stride=2)
        self.second = nn.Conv2d(8, 32, 3, stride=2)
        width = ((NUM_BINS - 1) // 2 - 1) // 2
        self.project = nn.Linear(32 * width, dim)
        self.norm = nn.LayerNorm(dim)
        self.context = nn.Linear(3 * dim, dim)

    def forward(self, features: Tensor) -> Tensor:
        x = F.relu(self.second(F.relu(self.first((features.unsqueeze(1) - MEAN) / STD))))
        x = self.norm(self.project(x.transpose(1, 2).flatten(2)))
        return x[:, 1:-1] + self.context(F.relu(torch.cat([x[:, :-2], x[:, 1:-1], x[:, 2:]], 2)))


class Dropout(nn.Module):
    """Leaves values out by chance, a byte of which decides for each.

    On a processor that takes a third of the time of torch's own, which was a twelfth of a step.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.below = round(256 * share)

    def forward(self, x: Tensor) -> Tensor:
        """Values of which `below` in 256 are zero, and the others larger, while training."""
        if not (self.training and self.below):
            return x
        words = torch.empty(-(-x.numel() // 8), dtype=torch.int64, device=x.device)
        chance = words.random_(-(1 << 63), None).view(torch.uint8)[: x.numel()]
        return x * (chance >= self.below).view(x.shape) * (256 / (256 - self.below))


class Block(nn.Module):
    """A pre-norm conformer block with learned relative position biases."""

    def __init__(self, config: StudentConfig, chunk: int) -> None:
        super().__init__()
        dim, self.heads, self.chunk = config.dim, config.heads, chunk
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(4))
        self.feed_in = nn.Sequential(nn.Linear(dim, 2 * dim), nn.ReLU(), nn.Linear(2 * dim, dim))
        self.query = nn.Linear(dim, dim // 2)
        self.key_value = nn.Linear(dim, dim)
        self.attended = nn.Linear(dim // 2, dim)
        self.gate = nn.Linear(dim, 2 * dim)
        self.depthwise = nn.Conv1d(dim, dim, config.kernel, groups=dim)
        self.convolved = nn.Linear(dim, dim)
        self.feed_out = nn.Sequential(nn.Linear(dim, 2 * dim), nn.ReLU(), nn.Linear(2 * dim, dim))
        self.position = nn.Parameter(torch.zeros(self.heads, LEFT + 2 * chunk - 1))
        self.dropout = Dropout(config.dropout)

    def forward(
        self, x: Tensor, mask: Tensor, offsets: Tensor, cache: Cache | None = None
    ) -> tuple[Tensor, Cache]:
        """Transform frames.

        Args:
            x: (N, T, dim).
            mask: True where a query may not look at a key; broadcasts to (N, 1, T, keys).
            offsets: (T, keys) index into the position biases, how far a key lies behind its query.
            cache: The past of a stream; without it there is none.
        """
        x = x + 0.5 * self.dropout(self.feed_in(self.norms[0](x)))
        attended, keys = self._attend(self.norms[1](x), mask, offsets, cache)
        x = x + self.dropout(attended)
        convolved, inputs = self._convolve(self.norms[2](x), cache)
        x = x + self.dropout(convolved)
        x = x + 0.5 * self.dropout(self.feed_out(self.norms[3](x)))
        return x, Cache(keys, inputs)

    def _attend(
        self, x: Tensor, mask: Tensor, offsets: Tensor, cache: Cache | None
    ) -> tuple[Tensor, Tensor]:
        count, length, dim = x.shape
        key_value = self.key_value(x)
        if cache is not None:
            key_value = torch.cat([cache.attention, key_value], 1)
        split = key_value.view(count, -1, 2, self.heads, dim // 2 // self.heads)
        key, value = split.permute(2, 0, 3, 1, 4).unbind(0)
        query = self.query(x).view(count, length, self.heads, -1).transpose(1, 2)
        bias = self.position[:, offsets].to(query.dtype).masked_fill(mask, float("-inf"))
        # Written out: with a learned bias the fused kernel takes a slower path.
        weights = torch.matmul(query * query.shape[-1] ** -0.5, key.transpose(2, 3)) + bias
        mixed = torch.matmul(weights.softmax(-1).to(value.dtype), value)
        return self.attended(mixed.transpose(1, 2).flatten(2)), key_value[:, -LEFT:]

    def _convolve(self, x: Tensor, cache: Cache | None) -> tuple[Tensor, Tensor]:
        gated = F.glu(self.gate(x), -1)
        kernel = self.depthwise.kernel_size[0]
        inputs = (
            F.pad(gated, (0, 0, kernel - 1, 0))
            if cache is None
            else torch.cat([cache.convolution, gated], 1)
        )
        x = self.depthwise(inputs.transpose(1, 2)).transpose(1, 2)
        return self.convolved(F.silu(x)), inputs[:, 1 - kernel :]


class Encoder(nn.Module):
    """Features to frames of the model's width, 25 a second."""

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        dim = config.dim
        self.config = config
        self.front = FrontEnd(dim)
        self.before = nn.ModuleList(Block(config, CHUNK) for _ in range(config.outer_before))
        self.down = nn.Linear(2 * dim, dim)
        self.inner = nn.ModuleList(Block(config, CHUNK // 2) for _ in range(config.inner))
        self.up = nn.Linear(dim, 2 * dim)
        self.after = nn.ModuleList(Block(config, CHUNK) for _ in range(config.outer_after))
        self.norm = nn.LayerNorm(dim)

    def forward(self, features: Tensor) -> Tensor:
        """Whole utterances, as a stream would hear them: (N, T, 80) to (N, frames, dim)."""
        x = self.front(features)
        length = x.shape[1]
        x = F.pad(x, (0, 0, 0, length % 2))
        outer, inner = (
            _chunked(x.shape[1], CHUNK, x.device),
            _chunked(x.shape[1] // 2, CHUNK // 2, x.device),
        )
        for block in self.before:
            x, _ = block(x, *outer)
        y = self.down(x.reshape(len(x), -1, 2 * self.config.dim))
        for block in self.inner:
            y, _ = block(y, *inner)
        x = x + self.up(y).reshape(x.shape)
        for block in self.after:
            x, _ = block(x, *outer)
        return self.norm(x)[:, :length]

    def stream(
        self, features: Tensor, caches: list[Cache], processed: Tensor
    ) -> tuple[Tensor, list[Cache]]:
        """One chunk of a stream.

        Args:
            features: (N, CHUNK * 4 + LOOKAHEAD, 80).
            caches: One for each block, zeros at the start.
            processed: (N,) feature frames consumed before: how much of the caches is real.
        """
        past, new = iter(caches), []
        x = self.front(features)
        outer = _streamed(CHUNK, processed // FRAMES_PER_STEP)
        inner = _streamed(CHUNK // 2, processed // (2 * FRAMES_PER_STEP))
        for block in self.before:
            x, cache = block(x, *outer, next(past))
            new.append(cache)
        y = self.down(x.reshape(-1, CHUNK // 2, 2 * self.config.dim))
        for block in self.inner:
            y, cache = block(y, *inner, next(past))
            new.append(cache)
        x = x + self.up(y).reshape(-1, CHUNK, self.config.dim)
        for block in self.after:
            x, cache = block(x, *outer, next(past))
            new.append(cache)
        return self.norm(x), new


class Predictor(nn.Module):
    """Stateless predictor of the last two tokens; a negative token stands for no token."""

    def __init__(self, vocab_size: int, dim: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, dim)
        self.mix = nn.Linear(2 * dim, dim)
        self.project = nn.Linear(dim, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """(..., 2) tokens to (..., dim)."""
        embedded = self.embedding(tokens.clamp_min(0)) * (tokens >= 0).unsqueeze(-1)
        return self.project(F.silu(self.mix(embedded.flatten(-2))))


class Student(nn.Module):
    """Encoder, predictor, joiner, and two heads for training: CTC, the teacher's frames."""

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.to_joiner = nn.Linear(config.dim, config.joiner_dim)
        self.predictor = Predictor(config.vocab_size, config.joiner_dim)
        self.joiner = nn.Linear(config.joiner_dim, config.vocab_size)
        self.ctc = nn.Linear(config.dim, config.vocab_size)
        self.teacher = nn.Linear(config.dim, config.teacher_dim)

    def join(self, encoded: Tensor, predicted: Tensor) -> Tensor:
        """Logits of the next token: tanh of the sum, then a matrix."""
        return self.joiner(torch.tanh(encoded + predicted))


def _chunked(length: int, chunk: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Mask and offsets for whole utterances: a frame sees its chunk and LEFT before it."""
    at = torch.arange(length, device=device)
    start = (at // chunk * chunk)[:, None]
    mask = (at >= start + chunk) | (at < start - LEFT)
    return mask, (at[:, None] - at + chunk - 1).clamp(0, LEFT + 2 * chunk - 2)


def _streamed(chunk: int, past: Tensor) -> tuple[Tensor, Tensor]:
    """Mask and offsets for a chunk behind its cache, whose last `past` frames are real."""
    keys = torch.arange(LEFT + chunk)
    mask = keys < (LEFT - past)[:, None]
    return mask[:, None, None, :], torch.arange(chunk)[:, None] + LEFT - keys + chunk - 1
