"""Engines for tests, which leave nothing behind."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable

from wyoming_stt.audio.gate import VadOptions
from wyoming_stt.degrade import Level
from wyoming_stt.engine import Engine, EngineOptions, ModelSource, UtteranceOptions
from wyoming_stt.lifecycle import LifecycleOptions
from wyoming_stt.models.base import Recognizer
from wyoming_stt.models.families.fake import FakeRecognizer

__all__ = ["LONG", "OPEN", "Stuck", "engine_on", "eventually", "set_level"]

LONG = 60.0
"""Seconds: for what must not happen in a test."""
OPEN = UtteranceOptions(vad=VadOptions(kind="off"))
"""All audio reaches the model as it comes."""


class Stuck:
    """A call that does not return before it is let go."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.let_go = threading.Event()

    def __call__(self) -> str:
        self.started.set()
        self.let_go.wait(LONG)
        return "at last"

    async def has_started(self) -> None:
        assert await asyncio.to_thread(self.started.wait, LONG)


@contextlib.asynccontextmanager
async def engine_on(
    load: Callable[[], Recognizer] = FakeRecognizer,
    *,
    wait: bool = True,
    lifecycle: LifecycleOptions | None = None,
    **options: float,
) -> AsyncIterator[Engine]:
    """Run an engine, started and ready unless told not to wait; then look for leaks."""
    tasks, threads = asyncio.all_tasks(), set(threading.enumerate())
    source = ModelSource("chosen", load)
    limits = EngineOptions(**{"workers": 2, "gather_s": 0.0} | options)
    engine = Engine(source, limits, lifecycle=lifecycle)
    await engine.start()
    if wait:
        await engine.ready()
    yield engine
    await engine.close()
    left = asyncio.all_tasks() - tasks - {asyncio.current_task()}
    assert not left, left
    for thread in set(threading.enumerate()) - threads:
        if thread.name == "inference":
            thread.join(LONG)
            assert not thread.is_alive()


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(LONG):
        while not condition():  # noqa: ASYNC110 - nothing tells of every state
            await asyncio.sleep(0.005)


def set_level(engine: Engine, level: Level) -> None:
    """Put it on a level of load, where it stays for `degrade.calm_s`."""
    ladder = engine.relief._ladder
    engine.relief.level = ladder.level = level
    ladder._since_s = asyncio.get_running_loop().time()
