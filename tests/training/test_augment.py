import numpy as np
import torch

from training.augment import Augmenter, NoiseBank, mask_features


def scenes(seed: int) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    bank = NoiseBank([np.ones(9000, np.float32)], [np.eye(1, 500, dtype=np.float32)[0]])
    waves = torch.from_numpy(
        np.random.default_rng(0).standard_normal((12, 8000)).astype(np.float32)
    )
    return Augmenter(bank, rng)(waves, [8000] * 12)


def test_scenes_are_seeded_finite_and_in_range() -> None:
    first = scenes(1)
    assert torch.equal(first, scenes(1))
    assert not torch.equal(first, scenes(2))
    assert first.isfinite().all()
    assert first.abs().max() <= 1


def test_a_room_does_not_move_speech() -> None:
    rng = np.random.default_rng(5)
    click = torch.zeros(20, 8000)
    click[:, 4000] = 1
    heard = Augmenter(NoiseBank([], []), rng)(click, [8000] * 20)
    peaks = heard.abs().argmax(1)
    assert (peaks - 4000).abs().median() <= 8


def test_masks_stay_within_the_utterance() -> None:
    features = torch.randn(4, 300, 80)
    untouched = features.clone()
    mask_features(features, [100] * 4, np.random.default_rng(1))
    changed = (features != untouched).any(0)
    assert changed.any()
    assert changed.all(0).sum() == changed[200].sum()
