"""The package on 64-bit ARM, by scripts/check-aarch64: installed from wheels, and run by qemu."""

import subprocess
from pathlib import Path

import pytest
import soundfile

from tests.support.onnx_models import audio, build
from tests.support.shared import MODEL, recordings

SCRIPT = Path(__file__).parents[2] / "scripts" / "check-aarch64"
CANNOT = 77
"""Exit code of the script where tools are missing."""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_hears_the_same_as_here(tmp_path: Path) -> None:
    done = subprocess.run(
        [SCRIPT, *model_and_recordings(tmp_path)], capture_output=True, text=True, check=False
    )
    if done.returncode == CANNOT:
        pytest.skip(done.stderr.splitlines()[-1])
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("2 of 2 recordings are the same") == 2  # on either processor


def model_and_recordings(folder: Path) -> list[Path]:
    """Return a real model with two commands to a home, or one with random weights and noise."""
    if MODEL.is_dir():
        return [MODEL, *(spoken.path for spoken in recordings("ha-commands-tts-en", 2))]
    noises = [folder / "a.wav", folder / "b.wav"]
    for seed, noise in enumerate(noises):
        soundfile.write(noise, audio.speechlike(2.5, seed=seed), 16_000)
    return [build("zipformer2", folder / "model"), *noises]
