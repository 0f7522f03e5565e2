import itertools
import math

import pytest
import torch

from training.losses import distillation_loss, transducer_loss, transducer_scores


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


@pytest.mark.parametrize(("frames", "labels"), [(1, [3]), (4, [1, 2]), (5, [2, 2, 4]), (3, [])])
def test_transducer_loss_is_the_sum_over_alignments(frames: int, labels: list[int]) -> None:
    torch.manual_seed(frames)
    padded = torch.tensor([[*labels, 1]])
    logits = torch.randn(1, frames + 2, len(labels) + 2, 5, dtype=torch.double)
    blanks, emitted = transducer_scores(logits, padded)
    loss = transducer_loss(blanks, emitted, torch.tensor([frames]), torch.tensor([len(labels)]))
    assert float(loss) == pytest.approx(brute_force(logits[0, :frames].log_softmax(-1), labels))


def test_transducer_loss_has_the_right_gradient() -> None:
    torch.manual_seed(3)
    logits = torch.randn(2, 4, 3, 5, dtype=torch.double, requires_grad=True)
    labels = torch.tensor([[1, 2], [3, 3]])

    def loss(x: torch.Tensor) -> torch.Tensor:
        return transducer_loss(
            *transducer_scores(x, labels), torch.tensor([4, 3]), torch.tensor([2, 1])
        )

    assert torch.autograd.gradcheck(loss, logits)


def test_distillation_ignores_padding() -> None:
    student, teacher = torch.zeros(2, 5, 3), torch.ones(2, 4, 3)
    teacher[1, 2:] = 100
    assert float(distillation_loss(student, teacher, torch.tensor([4, 2]))) == 1
