"""The model is exchanged under load, again and again; no utterance notices."""

import asyncio
import itertools
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest

from tests.support.chunks import every
from tests.support.engines import OPEN
from tests.support.onnx_models import build
from tests.support.onnx_models.audio import speechlike
from wyoming_stt.engine import Engine, EngineOptions, ModelSource
from wyoming_stt.models.base import Recognizer
from wyoming_stt.models.registry import load_model
from wyoming_stt.session import Session

NUM_STREAMS, NUM_SWAPS = 8, 20
PIECE_S = 0.1


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return [
        build("zipformer2", tmp_path_factory.mktemp("models") / f"zipformer2-{seed}", seed=seed)
        for seed in range(2)
    ]


@cache
def load(folder: Path) -> Recognizer:
    return load_model(folder, languages=["en"])


@cache
def spoken(seed: int) -> bytes:
    return (speechlike(2.0, seed) * 32767).astype(np.int16).tobytes()


@cache
def expected(folder: Path, seed: int) -> str:
    """What the model makes of it when nothing else happens."""
    session = Session(load(folder), OPEN)
    return [*session.accept(spoken(seed)), *session.finish()][-1].text


async def speak(engine: Engine, seed: int) -> tuple[str, str]:
    """Return the name of the model that an utterance began with, and its words."""
    async with engine.open(OPEN) as lease:
        for piece in every(spoken(seed), int(32_000 * PIECE_S)):
            await lease.accept(piece)
            await asyncio.sleep(PIECE_S)
        assert lease.model is not None
        return lease.model, (await lease.finish())[-1].text


@pytest.mark.slow
async def test_every_utterance_is_that_of_the_model_it_began_with(folders: list[Path]) -> None:
    sources = [ModelSource(f.name, partial(load_model, f, languages=["en"])) for f in folders]
    engine = Engine(sources[0], EngineOptions(workers=2))
    heard: list[tuple[int, str, str]] = []
    done = asyncio.Event()

    async def stream(first: int) -> None:
        for seed in itertools.count(first):
            heard.append((seed % 4, *await speak(engine, seed % 4)))
            if done.is_set():
                return

    async def swap() -> None:
        await engine.ready()
        for number in range(1, NUM_SWAPS + 1):
            await engine.lifecycle.swap(sources[number % 2])
            await asyncio.sleep(0.25)
        done.set()

    await asyncio.gather(swap(), *(stream(i) for i in range(NUM_STREAMS)))
    await engine.close()
    by_name = {folder.name: folder for folder in folders}
    assert {name for _, name, _ in heard} == set(by_name)
    assert [(seed, text) for seed, _, text in heard] == [
        (seed, expected(by_name[name], seed)) for seed, name, _ in heard
    ]
    assert any(expected(folders[0], seed) != expected(folders[1], seed) for seed in range(4))
