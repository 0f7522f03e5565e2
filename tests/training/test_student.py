import pytest
import torch

from training.student import CHUNK, LEFT, LOOKAHEAD, Cache, Dropout, Student, StudentConfig

TINY = StudentConfig(
    vocab_size=32,
    dim=16,
    heads=2,
    outer_before=1,
    inner=2,
    outer_after=1,
    joiner_dim=16,
    teacher_dim=8,
)
STEP = CHUNK * 4


def test_a_stream_hears_what_the_whole_utterance_says() -> None:
    torch.manual_seed(1)
    student = Student(TINY).eval()
    chunks = 12
    assert chunks * CHUNK > 2 * LEFT
    features = torch.randn(2, STEP * chunks + LOOKAHEAD, 80)
    shapes = (2, LEFT, TINY.dim), (2, TINY.kernel - 1, TINY.dim)
    caches = [Cache(*(torch.zeros(shape) for shape in shapes)) for _ in range(TINY.layers)]
    streamed = []
    with torch.no_grad():
        for chunk in range(chunks):
            start = chunk * STEP
            window = features[:, start : start + STEP + LOOKAHEAD]
            frames, caches = student.encoder.stream(window, caches, torch.full((2,), start))
            streamed.append(frames)
        whole = student.encoder(features)
    torch.testing.assert_close(
        torch.cat(streamed, 1), whole[:, : chunks * CHUNK], atol=1e-5, rtol=0
    )


def test_frames_do_not_depend_on_later_chunks() -> None:
    torch.manual_seed(1)
    student = Student(TINY).eval()
    features = torch.randn(1, STEP * 4 + LOOKAHEAD, 80)
    changed = features.clone()
    changed[:, STEP * 2 + LOOKAHEAD :] += 1
    with torch.no_grad():
        before, after = student.encoder(features), student.encoder(changed)
    torch.testing.assert_close(before[:, : 2 * CHUNK], after[:, : 2 * CHUNK])
    assert not torch.equal(before[:, 2 * CHUNK :], after[:, 2 * CHUNK :])


def test_no_token_before_the_start() -> None:
    predictor = Student(TINY).predictor
    assert not torch.equal(predictor(torch.tensor([[-1, 0]])), predictor(torch.tensor([[0, 0]])))
    torch.testing.assert_close(
        predictor(torch.tensor([[-1, 5]])), predictor(torch.tensor([[-2, 5]]))
    )


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_a_share_of_values_is_left_out_and_the_mean_stays(share: float) -> None:
    torch.manual_seed(2)
    dropout = Dropout(share)
    x = torch.ones(40, 60, 51, dtype=torch.bfloat16, requires_grad=True)
    dropped = dropout(x)
    assert (dropped == 0).float().mean().item() == pytest.approx(share, abs=0.01)
    assert dropped.detach().float().mean().item() == pytest.approx(1, abs=0.01)
    dropped.sum().backward()
    assert torch.equal(x.grad == 0, dropped == 0)
    assert dropout.eval()(x) is x
