"""A process that is killed at any moment of a swap or a cache write leaves nothing that harms."""

import random
import shutil
import time
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tests.support.engines import OPEN
from tests.support.onnx_models import build
from tests.support.onnx_models.audio import speechlike
from tests.support.swapping import swapping
from wyoming_stt.models.registry import load_model
from wyoming_stt.ort import OrtOptions
from wyoming_stt.session import Session

KILLS = 50
LONGEST_S = 0.3
"""Of a life that exchanges models some ten times a second."""


def heard(folder: Path, graphs: Path | None = None) -> str:
    recognizer = load_model(folder, languages=["en"], options=OrtOptions(cache_dir=graphs))
    session = Session(recognizer, OPEN)
    pcm = (speechlike(2.0, 1) * 32767).astype(np.int16).tobytes()
    return [*session.accept(pcm), *session.finish()][-1].text


@pytest.mark.slow
def test_the_next_start_is_healthy_each_time(tmp_path: Path) -> None:
    folders = [build("zipformer2", tmp_path / f"model-{seed}", seed=seed) for seed in range(2)]
    graphs, rng = tmp_path / "graphs", random.Random(6)
    expected = cache(heard)
    for _ in range(KILLS):
        shutil.rmtree(graphs, ignore_errors=True)
        process = swapping(folders, graphs)
        while not graphs.exists() and process.is_alive():
            time.sleep(0.005)
        time.sleep(rng.uniform(0.0, LONGEST_S))
        assert process.is_alive()
        process.kill()
        process.join()
        for folder in folders:
            assert heard(folder, graphs) == expected(folder)
    assert len({expected(folder) for folder in folders}) == len(folders)
    # What was left half-written is not kept for ever: both are whole now, in their two files each.
    assert {path.suffix for path in graphs.iterdir()} == {".onnx", ".sha256"}
