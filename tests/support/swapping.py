"""A process that exchanges models all the time, each through a cache that it makes anew."""

import asyncio
import multiprocessing
import shutil
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.support.engines import OPEN
from wyoming_stt.engine import Engine, EngineOptions, ModelSource
from wyoming_stt.models.registry import load_model
from wyoming_stt.ort import OrtOptions

__all__ = ["swapping"]

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.support.swapping"])


def swapping(folders: list[Path], cache: Path) -> BaseProcess:
    """Start it; it never ends by itself."""
    process = _processes.Process(target=_run, args=(folders, cache), daemon=True)
    process.start()
    return process


def _run(folders: list[Path], cache: Path) -> None:
    asyncio.run(_swap(folders, cache))


async def _swap(folders: list[Path], cache: Path) -> None:
    options = OrtOptions(cache_dir=cache)
    sources = [
        ModelSource(folder.name, partial(load_model, folder, languages=["en"], options=options))
        for folder in folders
    ]
    engine = Engine(sources[0], EngineOptions(workers=1))
    while True:
        for source in sources:
            await engine.lifecycle.swap(source)
            async with engine.open(OPEN) as lease:
                await lease.accept(bytes(16_000))
        shutil.rmtree(cache)
