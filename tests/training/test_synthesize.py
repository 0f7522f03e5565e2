import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from training.shards import Shard
from training.synthesize import synthesize_shard
from training.voices import SAMPLE_RATE, speak, weight_of_spoken

needs_voices = pytest.mark.skipif(
    any(shutil.which(name) is None for name in ("espeak-ng", "flite", "text2wave")),
    reason="the synthesizers espeak-ng, flite and festival are not installed",
)


def test_any_voice_has_a_weight() -> None:
    assert weight_of_spoken("", "own") == weight_of_spoken("someone new", "own") > 0


@needs_voices
def test_voices_are_many_and_seeded() -> None:
    first, again = (speak("turn on the light", random.Random(3)) for _ in range(2))
    assert first[0] == again[0]
    np.testing.assert_array_equal(first[1], again[1])
    voices = {speak("stop", random.Random(seed))[0] for seed in range(4)}
    assert len(voices) > 2
    assert 0.5 < len(first[1]) / SAMPLE_RATE < 6


@needs_voices
def test_another_language_is_espeak_alone() -> None:
    voice, audio = speak("mach das licht an", random.Random(1), "de")
    assert voice.startswith("de+")
    assert len(audio) > SAMPLE_RATE // 2


@needs_voices
def test_a_shard_holds_what_was_said(tmp_path: Path) -> None:
    spoken = synthesize_shard(
        tmp_path / "tts-000", [("command", "lights on"), ("command", "stop")], 1
    )
    shard = Shard(tmp_path / "tts-000")
    assert spoken == len(shard)
    assert shard.rows[0]["text"] == "lights on"
