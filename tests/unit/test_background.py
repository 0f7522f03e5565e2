import asyncio
import threading
from collections.abc import AsyncIterator
from functools import partial

import pytest

from tests.support.engines import LONG, OPEN, Stuck, engine_on
from tests.support.failing import FailingRecognizer
from tests.support.sound import loud
from wyoming_stt.background import Background
from wyoming_stt.errors import InferenceError, ShuttingDownError
from wyoming_stt.events import FinalTranscript
from wyoming_stt.lifecycle import LifecycleOptions
from wyoming_stt.workers import WorkerPool

TURNS = 20


@pytest.fixture
async def pool() -> AsyncIterator[WorkerPool]:
    pool = WorkerPool(2)
    yield pool
    pool.close()


@pytest.fixture
async def background(pool: WorkerPool) -> AsyncIterator[Background]:
    background = Background(pool, 2)
    yield background
    background.close()


async def turns() -> None:
    """Let everything happen that can."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


async def test_it_runs_while_nothing_else_does(background: Background) -> None:
    assert (await background.run(lambda: "done", LONG)).value == "done"


async def test_it_waits_for_an_idle_thread(pool: WorkerPool, background: Background) -> None:
    calls = [Stuck(), Stuck()]
    busy = [asyncio.create_task(pool.run(call, LONG)) for call in calls]
    for call in calls:
        await call.has_started()
    started = threading.Event()
    waiting = asyncio.create_task(background.run(started.set, LONG))
    await turns()
    assert not started.is_set()
    calls[0].let_go.set()
    await waiting
    calls[1].let_go.set()
    await asyncio.gather(*busy)


async def test_nobody_waits_for_it(pool: WorkerPool, background: Background) -> None:
    others = [Stuck(), Stuck()]
    jobs = [asyncio.create_task(background.run(call, LONG)) for call in others]
    for call in others:
        await call.has_started()
    barrier = threading.Barrier(2)
    await asyncio.gather(*(pool.run(partial(barrier.wait, LONG), LONG) for _ in range(2)))
    for call in others:
        call.let_go.set()
    await asyncio.gather(*jobs)


async def test_closing_tells_who_waits(pool: WorkerPool, background: Background) -> None:
    calls = [Stuck(), Stuck()]
    busy = [asyncio.create_task(pool.run(call, LONG)) for call in calls]
    await turns()
    waiting = asyncio.create_task(background.run(int, LONG))
    await turns()
    background.close()
    with pytest.raises(ShuttingDownError):
        await waiting
    for call in calls:
        call.let_go.set()
    await asyncio.gather(*busy)


async def test_who_has_something_else_to_do_waits_too(
    pool: WorkerPool, background: Background
) -> None:
    await background.until_idle()
    calls = [Stuck(), Stuck()]
    busy = [
        asyncio.create_task(run(call, LONG))
        for run, call in zip((pool.run, background.run), calls, strict=True)
    ]
    for call in calls:
        await call.has_started()
    waiting = [asyncio.create_task(background.until_idle()) for _ in range(2)]
    await turns()
    assert not any(task.done() for task in waiting)
    calls[0].let_go.set()
    await asyncio.gather(*waiting)
    calls[1].let_go.set()
    await asyncio.gather(*busy)


async def test_a_recording_on_which_the_model_fails_does_not_take_it_away() -> None:
    model = FailingRecognizer()
    async with engine_on(lambda: model, lifecycle=LifecycleOptions(max_failures=2)) as engine:
        loaded = engine.lifecycle.active
        model.is_broken = True
        for _ in range(3):
            async with engine.open_background(OPEN) as job:
                with pytest.raises(InferenceError):
                    await job.accept(loud(1.0))
        assert engine.lifecycle.active is loaded
        assert not engine.lifecycle.record.failures
        # Nor does it speak for the model while others find that it is broken.
        async with engine.open(OPEN) as lease:
            with pytest.raises(InferenceError):
                await lease.accept(loud(1.0))
        model.is_broken = False
        async with engine.open_background(OPEN) as job:
            await job.finish()
        assert loaded is not None
        assert loaded.failures == 1


async def test_a_lease_in_the_background_takes_no_place() -> None:
    async with engine_on(max_utterances=1, max_waiting=0) as engine:
        async with engine.open_background(OPEN) as job, engine.open(OPEN):
            assert engine.free_places == 0
            await job.accept(loud(1.0))
            events = await job.finish()
        assert isinstance(events[-1], FinalTranscript)
        assert events[-1].text
        assert engine.relief.load()[0].rtf == 0
