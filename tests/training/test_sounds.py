from pathlib import Path

import numpy as np
import soundfile

from training.augment import NoiseBank
from training.sounds import pieces

RATE = 16_000


def sound(folder: Path, name: str, seconds: float, level: float = 0.1) -> Path:
    noise = np.random.default_rng(len(name)).standard_normal(int(seconds * RATE)) * level
    path = folder / name
    soundfile.write(path, noise, RATE)
    return path


def test_of_a_long_piece_a_few_stretches_are_taken(tmp_path: Path) -> None:
    assert [len(p) / RATE for p in pieces([sound(tmp_path, "a.wav", 150)])] == [20] * 4
    assert [len(p) / RATE for p in pieces([sound(tmp_path, "b.wav", 45)])] == [20] * 2


def test_short_sounds_are_joined_and_none_is_lost(tmp_path: Path) -> None:
    short = [sound(tmp_path, f"{'s' * n}.wav", 3) for n in range(1, 10)]
    assert [len(p) / RATE for p in pieces(short)] == [20, 6]


def test_silence_and_what_is_no_sound_are_left_out(tmp_path: Path) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF and no more")
    assert not list(pieces([broken, sound(tmp_path, "still.wav", 30, level=0)]))


def test_the_bank_holds_sounds_at_one_level(tmp_path: Path) -> None:
    for name, level in ("loud.flac", 0.3), ("faint.flac", 0.002):
        sound(tmp_path, name, 1, level)
    sound(tmp_path, "click.flac", 0.2)
    bank = NoiseBank.load(tmp_path / "none", sounds=tmp_path)
    assert len(bank.sounds) == 2
    assert all(abs(np.mean(s**2) - 1) < 0.01 for s in bank.sounds)
