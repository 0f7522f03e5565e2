"""Who frees the memory of a model, when, and that it comes back."""

import asyncio
import gc
import weakref

import pytest

from tests.support.engines import Stuck, eventually
from tests.support.lifecycles import Mended, broken, lifecycle_of, source, stuck_source, utter
from wyoming_stt.model_state import ModelState


async def test_an_idle_model_is_unloaded_and_comes_back() -> None:
    async with lifecycle_of(source("a"), unload_after_s=0.05) as lifecycle:
        freed = weakref.ref((await utter(lifecycle)).recognizer)
        await eventually(lambda: lifecycle.state is ModelState.UNLOADED)
        gc.collect()
        assert freed() is None
        assert lifecycle.info is not None
        await utter(lifecycle)
        assert lifecycle.record.counts[ModelState.LOADING] == 2


async def test_a_model_in_use_is_not_idle() -> None:
    async with lifecycle_of(source("a"), unload_after_s=0.02) as lifecycle:
        await utter(lifecycle)
        model = await lifecycle.acquire()
        await asyncio.sleep(0.06)
        assert lifecycle.state is ModelState.READY
        lifecycle.release(model)


async def test_a_model_that_nobody_spoke_to_is_unloaded_too() -> None:
    async with lifecycle_of(source("a"), unload_after_s=0.02) as lifecycle:
        await lifecycle.ready()
        await eventually(lambda: lifecycle.state is ModelState.UNLOADED)


async def test_so_is_one_that_came_while_the_old_one_was_in_use() -> None:
    async with lifecycle_of(source("a"), unload_after_s=0.02) as lifecycle:
        old = await lifecycle.acquire()
        await lifecycle.swap(source("b"))
        lifecycle.release(old)
        await eventually(lambda: lifecycle.state is ModelState.UNLOADED)


async def test_so_is_one_that_a_retry_brought_back() -> None:
    mended = Mended()
    chosen = source("a", mended)
    async with lifecycle_of(chosen, source("small"), retry_s=0.02, unload_after_s=0.1) as lifecycle:
        await lifecycle.ready()
        mended.whole = True
        await eventually(lambda: not lifecycle.on_fallback)
        await eventually(lambda: lifecycle.state is ModelState.UNLOADED)
        await asyncio.sleep(0.05)
        assert lifecycle.state is ModelState.UNLOADED  # no retry wakes it


@pytest.mark.parametrize("loads", [True, False])
async def test_an_exchange_only_puts_sleep_off(*, loads: bool) -> None:
    stuck = Stuck()
    async with lifecycle_of(source("a"), unload_after_s=0.02) as lifecycle:
        await lifecycle.ready()
        new = stuck_source("b", stuck) if loads else stuck_source("b", stuck, broken().load)
        swap = asyncio.create_task(lifecycle.swap(new))
        await stuck.has_started()
        await asyncio.sleep(0.05)  # the time to sleep comes
        assert lifecycle.state is ModelState.SWAPPING
        stuck.let_go.set()
        await asyncio.wait([swap])
        await eventually(lambda: lifecycle.state is ModelState.UNLOADED)
        assert (swap.exception() is None) == loads


async def test_attempts_that_fail_do_not_keep_it_awake() -> None:
    async with lifecycle_of(
        broken(), source("small"), retry_s=0.01, retry_max_s=0.01, unload_after_s=0.1
    ) as lifecycle:
        await lifecycle.ready()
        await eventually(lambda: lifecycle.state is ModelState.UNLOADED)


@pytest.mark.parametrize(("name", "after"), [("a", ModelState.READY), ("b", ModelState.UNLOADED)])
async def test_unloading_waits_for_an_exchange(name: str, after: ModelState) -> None:
    stuck = Stuck()
    async with lifecycle_of(source("a")) as lifecycle:
        await lifecycle.ready()
        swap = asyncio.create_task(lifecycle.swap(stuck_source("b", stuck)))
        await stuck.has_started()
        unload = asyncio.create_task(lifecycle.unload(name))
        await asyncio.sleep(0.01)
        assert not unload.done()
        stuck.let_go.set()
        await asyncio.gather(swap, unload)
        assert lifecycle.state is after


async def test_unloading_on_demand_lets_utterances_end() -> None:
    async with lifecycle_of(source("a")) as lifecycle:
        model = await lifecycle.acquire()
        await lifecycle.unload("a")
        assert lifecycle.state is ModelState.UNLOADED
        assert model.recognizer is not None
        lifecycle.release(model)
        assert not hasattr(model, "recognizer")
