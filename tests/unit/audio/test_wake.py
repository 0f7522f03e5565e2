import numpy as np
import pytest

from tests.support.chunks import every
from tests.support.sound import loud, quiet
from wyoming_stt.audio.gate import VadOptions
from wyoming_stt.audio.pcm import AudioFormat
from wyoming_stt.audio.wake import Wake

STEP = 5_120  # 0.16 s
ENERGY = VadOptions(kind="energy")


def noise(level: float, duration_s: float) -> bytes:
    """White noise; `level` is its root mean square by full scale."""
    samples = np.random.default_rng(3).normal(0, level * 32768, round(duration_s * 16_000))
    return samples.astype("<i2").tobytes()


def wakes_at(pcm: bytes, wake: Wake | None = None) -> float | None:
    """Seconds of audio after which it wakes."""
    wake = wake or Wake(AudioFormat(), ENERGY)
    for number, piece in enumerate(every(pcm, STEP), 1):
        if wake.push(piece):
            return number * 0.16
    return None


def test_silence_wakes_nobody_and_needs_no_detector() -> None:
    wake = Wake(AudioFormat(), VadOptions())
    assert wakes_at(quiet(3) + noise(0.0005, 3), wake) is None
    assert wake._gate is None


def test_speech_wakes_within_a_step_of_being_speech() -> None:
    assert wakes_at(quiet(1) + loud(1)) == pytest.approx(1.12)
    assert wakes_at(loud(1)) == pytest.approx(0.16)


def test_a_click_does_not_wake() -> None:
    assert wakes_at((quiet(1) + loud(0.03)) * 4) is None


def test_the_detector_is_put_away_after_a_second_of_calm() -> None:
    wake = Wake(AudioFormat(), ENERGY)
    assert wakes_at(quiet(1) + noise(0.005, 0.48), wake) is None
    assert wake._gate is not None
    assert wakes_at(quiet(1.28), wake) is None
    assert wake._gate is None
    assert wakes_at(loud(0.32), wake) is not None


@pytest.mark.parametrize("audio_format", [AudioFormat(44_100), AudioFormat(8_000, 3, 2)])
def test_any_format(audio_format: AudioFormat) -> None:
    wake = Wake(audio_format, ENERGY)
    step = audio_format.seconds_to_bytes(0.16)
    silence = bytes(step)
    sample = (1 << 8 * audio_format.width - 3).to_bytes(audio_format.width, "little")
    sound = sample * (step // audio_format.width)
    assert not wake.push(silence)
    # The resampler may keep the end of a step for the next.
    assert wake.push(sound) or wake.push(sound)
