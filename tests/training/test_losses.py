import itertools
import math

import pytest
import torch

from training.losses import (
    band,
    best_path,
    distillation_loss,
    transducer_loss,
    transducer_scores,
)


def brute_force(log_probs: torch.Tensor, labels: list[int]) -> float:
    """Sum over every alignment; positions[u] is the frame at which label u is written."""
    frames, total = log_probs.shape[0], []
    for positions in itertools.combinations_with_replacement(range(frames), len(labels)):
        score, written = 0.0, 0
        for t in range(frames):
            for _ in range(positions.count(t)):
                score += float(log_probs[t, written, labels[written]])
                written += 1
            score += float(log_probs[t, written, 0])
        total.append(score)
    return -math.log(sum(math.exp(score) for score in total))


def loss_of(
    logits: torch.Tensor, labels: torch.Tensor, starts: torch.Tensor, frames: int, length: int
) -> torch.Tensor:
    """Of logits (T, U + 1, V), at `starts` (T,) to as many places as the logits have."""
    places = starts[:, None] + torch.arange(logits.shape[1])
    following = torch.nn.functional.pad(labels, (0, logits.shape[1]))[places]
    blanks, emitted = transducer_scores(logits[None], following[None])
    return transducer_loss(
        blanks, emitted, starts[None], torch.tensor([frames]), torch.tensor([length])
    )


@pytest.mark.parametrize(("frames", "labels"), [(1, [3]), (4, [1, 2]), (5, [2, 2, 4]), (3, [])])
def test_transducer_loss_is_the_sum_over_alignments(frames: int, labels: list[int]) -> None:
    torch.manual_seed(frames)
    logits = torch.randn(frames + 2, len(labels) + 2, 5, dtype=torch.double)
    starts = torch.zeros(frames + 2, dtype=torch.long)
    loss = loss_of(logits, torch.tensor([*labels, 1]), starts, frames, len(labels))
    assert float(loss) == pytest.approx(brute_force(logits[:frames].log_softmax(-1), labels))


def test_a_band_leaves_out_the_places_outside() -> None:
    torch.manual_seed(4)
    labels, starts = [2, 4, 1], torch.tensor([0, 0, 1, 2])
    whole = torch.randn(4, 4, 5, dtype=torch.double).log_softmax(-1)
    inside = starts[:, None] + torch.arange(2)
    kept = torch.full_like(whole, -1e9).scatter(
        1, inside[..., None].expand(-1, -1, 5), whole.gather(1, inside[..., None].expand(-1, -1, 5))
    )
    for t, first in enumerate(starts):
        kept[t, first + 1, 1:] = -1e9  # the last place of a frame is left by a blank only
    loss = loss_of(
        whole.gather(1, inside[..., None].expand(-1, -1, 5)), torch.tensor(labels), starts, 4, 3
    )
    assert float(loss) == pytest.approx(brute_force(kept, labels))


def test_transducer_loss_has_the_right_gradient() -> None:
    torch.manual_seed(3)
    logits = torch.randn(4, 2, 5, dtype=torch.double, requires_grad=True)
    starts = torch.tensor([0, 0, 1, 1])
    assert torch.autograd.gradcheck(
        lambda x: loss_of(x, torch.tensor([1, 2]), starts, 4, 2), logits
    )


def test_the_band_follows_the_best_path_of_ctc() -> None:
    said = [0, 3, 3, 0, 0, 1, 2, 0]  # a token a frame: 3, 1, 2 are written at frames 1, 5 and 6
    sure = torch.full((1, len(said) + 2, 4), -9.0)
    sure[0, torch.arange(len(said)), torch.tensor(said)] = 0
    labels = torch.tensor([[3, 1, 2, 0]])
    path = best_path(sure, labels, torch.tensor([8]), torch.tensor([3]))
    assert path.tolist() == [[0, 1, 1, 1, 1, 2, 3, 3, 3, 3]]
    wide = band(path, torch.tensor([3]), width=3)
    assert wide.tolist() == [[0, 0, 0, 0, 0, 1, 1, 1, 1, 1]]
    assert band(path, torch.tensor([3]), width=9).max() == 0


def test_the_band_starts_at_nothing_and_ends_with_all_even_where_ctc_has_no_path() -> None:
    torch.manual_seed(5)
    scores = torch.randn(3, 12, 5).log_softmax(-1)
    labels = torch.randint(1, 5, (3, 9))
    frames, lengths = torch.tensor([12, 10, 4]), torch.tensor([9, 0, 7])
    starts = band(best_path(scores, labels, frames, lengths), lengths, width=4)
    assert starts[:2, 0].tolist() == [0, 0]
    assert set(starts.diff(dim=1).flatten().tolist()) <= {0, 1}
    last = starts[torch.arange(3), frames - 1]
    assert (last + 4 > lengths).all()


def test_distillation_ignores_padding() -> None:
    student, teacher = torch.zeros(2, 5, 3), torch.ones(2, 4, 3)
    teacher[1, 2:] = 100
    assert float(distillation_loss(student, teacher, torch.tensor([4, 2]))) == 1
