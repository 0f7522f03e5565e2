"""What the student is told: to be its teacher frame by frame, and to write the words."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["band", "best_path", "distillation_loss", "transducer_loss", "transducer_scores"]

IMPOSSIBLE = -1e9
"""A log probability that nothing adds to, and whose differences are still numbers."""


def distillation_loss(student: Tensor, teacher: Tensor, lengths: Tensor) -> Tensor:
    """Mean squared error over valid frames of (N, T, dims); normalised: 1 is ignorance."""
    frames = min(student.shape[1], teacher.shape[1])
    valid = (torch.arange(frames, device=lengths.device) < lengths[:, None]).unsqueeze(-1)
    error = (student[:, :frames] - teacher[:, :frames]).square() * valid
    return error.sum() / (valid.sum().clamp_min(1) * student.shape[2])


@torch.no_grad()
def best_path(ctc: Tensor, labels: Tensor, frames: Tensor, lengths: Tensor) -> Tensor:
    """How many labels are written by the end of each frame, by the best path of CTC.

    Args:
        ctc: (N, T, V) log probabilities, blank first.
        labels: (N, U).
        frames: (N,) valid frames.
        lengths: (N,) valid labels.

    Returns:
        (N, T), never falling, rising by at most one.
    """
    count, total = ctc.shape[:2]
    scores = ctc.gather(2, labels[:, None].expand(-1, total, -1))
    valid = torch.arange(total, device=ctc.device) < frames[:, None]
    rest = torch.maximum(ctc[:, :, :1], F.pad(scores, (1, 0), value=IMPOSSIBLE))
    rest = torch.where(valid[:, :, None], rest, 0.0)
    write = F.pad(torch.where(valid[:, :, None], scores, IMPOSSIBLE), (1, 0), value=IMPOSSIBLE)
    best = F.pad(ctc.new_zeros(count, 1), (0, labels.shape[1]), value=IMPOSSIBLE)
    wrote = []
    for t in range(total):
        stayed, moved = best + rest[:, t], F.pad(best[:, :-1], (1, 0)) + write[:, t]
        wrote.append(moved > stayed)
        best = torch.maximum(stayed, moved)
    place, places = lengths[:, None], []
    for moves in reversed(wrote):
        places.append(place)
        place = (place - moves.gather(1, place).long()).clamp_min(0)
    return torch.cat(places[::-1], 1)


def band(path: Tensor, lengths: Tensor, width: int) -> Tensor:
    """Where among the labels each frame may be: first of `width` places about a best path.

    The idea is that of the pruned transducer loss (Kuang et al., 2022), which finds the band by a
    simpler joiner; where there is a CTC head anyway, its alignment says as much.

    Args:
        path: (N, T) labels written, from `best_path`; it is in the middle of the band.
        lengths: (N,) valid labels.
        width: Of the band.

    Returns:
        (N, T) first places, from 0, never falling, rising by at most one.
    """
    highest = (lengths[:, None] + 1 - width).clamp_min(0)
    return torch.minimum((path - width // 2).clamp_min(0), highest)


def transducer_scores(logits: Tensor, labels: Tensor, blank: int = 0) -> tuple[Tensor, Tensor]:
    """Joint logits (N, T, S, V) to log probabilities of blank and of the next label.

    `labels`, (N, T, S), is that label. Both are (N, T, S).
    """
    total = logits.logsumexp(-1)
    return logits[..., blank] - total, logits.gather(-1, labels[..., None]).squeeze(-1) - total


def transducer_loss(
    blanks: Tensor, labels: Tensor, starts: Tensor, frames: Tensor, lengths: Tensor
) -> Tensor:
    """Negative log likelihood of the transducer in a band of places, one vector step a frame.

    With C_t the prefix sums of the label scores of frame t, going up within a frame is a
    cumulative log-sum: alpha_t = C_t + logcumsumexp(alpha_{t-1} + blank_{t-1} - C_t).
    The recursion itself is that of Graves (2012). Exact where the band holds all places.

    Args:
        blanks: (N, T, S) log probability of blank at frame t after `starts + s` labels.
        labels: (N, T, S) log probability of the next label there.
        starts: (N, T) of the band: 0 in the first frame, never falling.
        frames: (N,) valid frames.
        lengths: (N,) valid labels; in the band of the last valid frame.

    Returns:
        (N,) losses in nats.
    """
    width = blanks.shape[2]
    rises = F.pad(labels[:, :, :-1].cumsum(2), (1, 0))
    shifts = starts.diff(dim=1, prepend=starts[:, :1])[:, :, None]
    before = shifts + torch.arange(width, device=starts.device)
    outside, before = before >= width, before.clamp_max(width - 1)
    alpha = rises[:, 0]
    alphas = [alpha]
    for t in range(1, blanks.shape[1]):
        arriving = (alpha + blanks[:, t - 1]).gather(1, before[:, t])
        arriving = arriving.masked_fill(outside[:, t], IMPOSSIBLE)
        alpha = rises[:, t] + torch.logcumsumexp(arriving - rises[:, t], 1)
        alphas.append(alpha)
    rows, last = torch.arange(len(frames), device=frames.device), frames - 1
    place = lengths - starts[rows, last]
    return -(torch.stack(alphas, 1)[rows, last, place] + blanks[rows, last, place])
