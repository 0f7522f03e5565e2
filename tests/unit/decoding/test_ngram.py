from pathlib import Path

import numpy as np
import pytest

from tests.support.ngrams import VOCAB, write_bigrams
from wyoming_stt.decoding.ngram import NgramModel
from wyoming_stt.errors import ModelFileError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_bigrams(tmp_path / "lm.npz")


def test_what_follows_is_looked_up_and_the_rest_backs_off(path: Path) -> None:
    model = NgramModel(path, VOCAB)
    assert model.after(()).tolist() == [-1, -2, -3, -4]
    assert model.after((3,)).tolist() == [-1, -2, -3, -4]
    assert model.after((2,)).tolist() == [-3, -4, -5, -1]
    assert model.after((3, 0, 2)).tolist() == [-3, -4, -5, -1]


def test_two_contexts_may_share_a_last_token(tmp_path: Path) -> None:
    longer = {
        "contexts2": np.array([1 * VOCAB + 2, 3 * VOCAB + 2], np.uint64),
        "ends2": np.array([1, 3], np.uint32),
        "tokens2": np.array([0, 0, 2], np.uint16),
        "costs2": np.array([8, 80, 96], np.uint8),
        "backoffs2": np.array([0, 16], np.int8),
    }
    model = NgramModel(write_bigrams(tmp_path / "lm.npz", **longer), VOCAB)
    # The first token of a sentence comes after the boundary, 1.
    assert model.after((2,)).tolist() == [-0.5, -4, -5, -1]
    assert model.after((0, 3, 2)).tolist() == [-5, -3, -6, 0]
    assert model.after((0, 2)).tolist() == [-3, -4, -5, -1]


@pytest.mark.parametrize(
    "changed",
    [
        {"costs0": np.zeros(3, np.uint8)},
        {"ends1": np.array([2], np.uint32)},
        {"tokens1": np.array([VOCAB], np.uint16)},
        {"backoffs1": np.zeros(0, np.int8)},
        {"contexts1": np.zeros(0, np.uint64)},
        {"costs1": np.array([object()])},
    ],
)
def test_a_damaged_one_is_named(changed: dict[str, np.ndarray], tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"lm\.npz"):
        NgramModel(write_bigrams(tmp_path / "lm.npz", **changed), VOCAB)


@pytest.mark.parametrize("size", [0, 40, 400])
def test_one_that_was_cut_is_named(size: int, path: Path) -> None:
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ModelFileError, match=r"lm\.npz"):
        NgramModel(path, VOCAB)


def test_one_of_another_vocabulary_is_named(path: Path) -> None:
    with pytest.raises(ModelFileError, match="5 tokens"):
        NgramModel(path, 5)
