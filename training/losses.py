"""What the student is told: to be its teacher frame by frame, and to write the words."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["distillation_loss", "transducer_loss", "transducer_scores"]


def distillation_loss(student: Tensor, teacher: Tensor, lengths: Tensor) -> Tensor:
    """Mean squared error over valid frames of (N, T, dims); normalised: 1 is ignorance."""
    frames = min(student.shape[1], teacher.shape[1])
    valid = (torch.arange(frames, device=lengths.device) < lengths[:, None]).unsqueeze(-1)
    error = (student[:, :frames] - teacher[:, :frames]).square() * valid
    return error.sum() / (valid.sum().clamp_min(1) * student.shape[2])


def transducer_scores(logits: Tensor, labels: Tensor, blank: int = 0) -> tuple[Tensor, Tensor]:
    """Joint logits (N, T, U + 1, V) to log probabilities of blank and of the next label.

    Shapes (N, T, U + 1) and (N, T, U).
    """
    total = logits.logsumexp(-1)
    index = labels[:, None, :, None].expand(-1, logits.shape[1], -1, 1)
    chosen = logits[:, :, :-1].gather(-1, index).squeeze(-1)
    return logits[..., blank] - total, chosen - total[:, :, :-1]


def transducer_loss(blanks: Tensor, labels: Tensor, frames: Tensor, lengths: Tensor) -> Tensor:
    """Exact negative log likelihood of the transducer, one vector step a frame.

    With C_t the prefix sums of the label scores of frame t, going up within a frame is a
    cumulative log-sum: alpha_t = C_t + logcumsumexp(alpha_{t-1} + blank_{t-1} - C_t).
    The recursion itself is that of Graves (2012).

    Args:
        blanks: (N, T, U + 1) log probability of blank at frame t after u labels.
        labels: (N, T, U) log probability of label u + 1 at frame t after u labels.
        frames: (N,) valid frames.
        lengths: (N,) valid labels.

    Returns:
        (N,) losses in nats.
    """
    rises = F.pad(labels.cumsum(2), (1, 0))
    alpha = rises[:, 0]
    alphas = [alpha]
    for t in range(1, blanks.shape[1]):
        alpha = rises[:, t] + torch.logcumsumexp(alpha + blanks[:, t - 1] - rises[:, t], 1)
        alphas.append(alpha)
    rows, last = torch.arange(len(frames), device=frames.device), frames - 1
    return -(torch.stack(alphas, 1)[rows, last, lengths] + blanks[rows, last, lengths])
