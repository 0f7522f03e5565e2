import numpy as np
import pytest
import torch

from training.features import fbank, mel_banks
from training.teacher import fbank as kaldi_fbank


@pytest.mark.parametrize("samples", [1600, 16000, 20077])
def test_equals_kaldi(samples: int) -> None:
    wave = (np.random.default_rng(samples).standard_normal(samples) * 0.1).astype(np.float32)
    ours = fbank(torch.from_numpy(wave)[None], mel_banks(torch.ones(1)))[0].numpy()
    np.testing.assert_allclose(ours, kaldi_fbank(wave), atol=1e-3)


def test_a_warp_moves_a_tone() -> None:
    tone = torch.sin(torch.arange(8000) * 2 * torch.pi * 1500 / 16000)
    features = fbank(tone.repeat(2, 1), mel_banks(torch.tensor([1.0, 1.1])))
    plain, warped = features[:, 20].argmax(1).tolist()
    assert warped < plain
