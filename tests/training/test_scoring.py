import pytest
import torch

from training.scoring import ctc_greedy, edit_distance, word_error_rate


@pytest.mark.parametrize(
    ("reference", "hypothesis", "errors"),
    [
        ("a b c", "a b c", 0),
        ("a b c", "a c", 1),
        ("a", "a b c", 2),
        ("a b", "b a", 2),
        ("", "x", 1),
    ],
)
def test_edit_distance(reference: str, hypothesis: str, errors: int) -> None:
    assert edit_distance(reference.split(), hypothesis.split()) == errors


def test_word_error_rate_counts_words_not_utterances() -> None:
    assert word_error_rate([("a b c", "a b c"), ("d", "e")]) == 0.25


def test_ctc_joins_repetitions() -> None:
    path = torch.tensor([0, 3, 3, 0, 3, 4, 4, 0])
    assert ctc_greedy(torch.nn.functional.one_hot(path, 6).float()) == [3, 3, 4]
