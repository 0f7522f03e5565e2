import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.chunks import cut, every
from wyoming_stt.audio.resample import Resampler

RATES = [8_000, 11_025, 16_001, 22_050, 24_000, 32_000, 44_100, 48_000]


def resample(rate: int, pieces: list[np.ndarray]) -> np.ndarray:
    resampler = Resampler(rate)
    return np.concatenate([*map(resampler.push, pieces), resampler.finish()])


def noise(size: int) -> np.ndarray:
    return np.random.default_rng(7).standard_normal(size).astype(np.float32) / 4


@pytest.mark.parametrize("rate", RATES)
def test_a_tone_keeps_its_pitch_and_level(rate: int) -> None:
    tone = np.sin(2 * np.pi * 1_000 * np.arange(rate) / rate).astype(np.float32)
    expected = np.sin(2 * np.pi * 1_000 * np.arange(16_000) / 16_000)
    resampled = resample(rate, [tone])
    assert resampled.dtype == np.float32
    assert np.abs(resampled - expected)[500:-500].max() < 1e-3


@pytest.mark.parametrize("rate", [24_000, 48_000])
def test_what_16_khz_cannot_hold_is_removed(rate: int) -> None:
    too_high = np.sin(2 * np.pi * 9_000 * np.arange(rate) / rate).astype(np.float32)
    assert np.abs(resample(rate, [too_high]))[500:-500].max() < 1e-4


@pytest.mark.parametrize("rate", [*RATES, 16_000])
@pytest.mark.parametrize("size", [0, 1, 17, 12_345])
def test_all_samples_come_out(rate: int, size: int) -> None:
    half_up = (2 * size * 16_000 + rate) // (2 * rate)
    assert len(resample(rate, [noise(size)])) == half_up


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("size", [1, 3, 480, 1_023])
def test_pieces_of_one_size_give_the_same_bits(rate: int, size: int) -> None:
    samples = noise(5_000)
    assert np.array_equal(resample(rate, every(samples, size)), resample(rate, [samples]))


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(RATES), st.integers(0, 6_000), st.data())
def test_any_chunking_gives_the_same_bits(rate: int, size: int, data: st.DataObject) -> None:
    samples = noise(size)
    assert np.array_equal(resample(rate, data.draw(cut(samples))), resample(rate, [samples]))


def test_16_khz_passes_untouched() -> None:
    samples = noise(100)
    assert Resampler(16_000).push(samples) is samples
