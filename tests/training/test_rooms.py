import numpy as np

from training.augment import NoiseBank
from training.rooms import SNR_DB, across_rooms

RNG = np.random.default_rng(1)
CLIPS = [RNG.standard_normal(n).astype(np.float32) * 0.1 for n in (16_000, 24_000)]
DIRECT = np.array([1.0], np.float32)


def hum(samples: int) -> np.ndarray:
    return np.sin(np.arange(samples) * 0.1).astype(np.float32)


def test_a_clip_keeps_its_length_and_gets_noise_of_the_level_that_is_said() -> None:
    bank = NoiseBank([hum(9_000)], [DIRECT])
    for clip, heard in zip(CLIPS, across_rooms(CLIPS, bank), strict=True):
        assert heard.shape == clip.shape
        assert heard.dtype == np.float32
        snr = 10 * np.log10(np.mean(clip**2) / np.mean((heard - clip) ** 2))
        assert SNR_DB[0] - 0.5 < snr < SNR_DB[1] + 0.5


def test_the_same_seed_gives_the_same_rooms() -> None:
    bank = NoiseBank([hum(9_000), CLIPS[0]], [DIRECT, np.array([1, 0, 0.5], np.float32)])
    first, again, other = (across_rooms(CLIPS, bank, seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_a_room_is_heard() -> None:
    echo = np.zeros(400, np.float32)
    echo[[0, 399]] = 1, 0.9
    silence = np.full(9_000, 1e-12, np.float32)
    click = np.zeros(2_000, np.float32)
    click[100] = 1
    (heard,) = across_rooms([click], NoiseBank([silence], [echo]))
    assert sorted(np.argsort(-np.abs(heard))[:2]) == [100, 499]
