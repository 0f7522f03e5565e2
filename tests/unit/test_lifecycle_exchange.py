"""One model takes the place of another, whatever else happens meanwhile."""

import asyncio
import gc
import weakref

import pytest

from tests.support.engines import Stuck, eventually
from tests.support.lifecycles import (
    FAILED,
    Mended,
    broken,
    lifecycle_of,
    source,
    stuck_source,
    utter,
)
from wyoming_stt.errors import ModelFileError
from wyoming_stt.model_state import ModelState


async def test_whoever_holds_a_model_keeps_it() -> None:
    async with lifecycle_of(source("a")) as lifecycle:
        old = await lifecycle.acquire()
        await lifecycle.swap(source("b"))
        new = await lifecycle.acquire()
        assert (old.source.name, new.source.name) == ("a", "b")
        freed = weakref.ref(old.recognizer)
        assert freed() is not None
        lifecycle.release(old)
        gc.collect()
        assert freed() is None
        lifecycle.release(new)
        assert new.recognizer is not None


async def test_a_failed_exchange_keeps_the_old_model() -> None:
    async with lifecycle_of(source("a")) as lifecycle:
        before = await lifecycle.ready()
        with pytest.raises(ModelFileError):
            await lifecycle.swap(broken())
        assert await lifecycle.ready() is before
        assert lifecycle.state is ModelState.READY
        assert not lifecycle.on_fallback


async def test_a_failed_exchange_wakes_the_old_model_where_it_slept() -> None:
    async with lifecycle_of(source("a")) as lifecycle:
        await lifecycle.ready()
        await lifecycle.unload("a")
        with pytest.raises(ModelFileError):
            await lifecycle.swap(broken())
        await eventually(lambda: lifecycle.state is ModelState.READY)
        assert (await lifecycle.ready()).source.name == "a"


async def test_old_utterances_are_served_while_a_model_is_exchanged() -> None:
    stuck = Stuck()
    async with lifecycle_of(source("a")) as lifecycle:
        await lifecycle.ready()
        swap = asyncio.create_task(lifecycle.swap(stuck_source("b", stuck)))
        await stuck.has_started()
        assert lifecycle.state is ModelState.SWAPPING
        assert (await utter(lifecycle)).source.name == "a"
        stuck.let_go.set()
        await swap
        assert (await utter(lifecycle)).source.name == "b"


async def test_many_exchanges_follow_each_other() -> None:
    async with lifecycle_of(source("0")) as lifecycle:
        await lifecycle.ready()
        await asyncio.gather(*(lifecycle.swap(source(str(i))) for i in range(1, 6)))
        assert (await lifecycle.ready()).source is lifecycle.chosen


# Changing one's mind.


async def test_a_retry_does_not_undo_an_exchange_that_was_under_way() -> None:
    mended, stuck = Mended(), Stuck()
    async with lifecycle_of(source("a", mended), source("small"), retry_s=0.02) as lifecycle:
        await lifecycle.ready()
        swap = asyncio.create_task(lifecycle.swap(stuck_source("b", stuck)))
        await stuck.has_started()
        mended.whole, loads = True, mended.loads
        await asyncio.sleep(0.1)  # the retry is due
        stuck.let_go.set()
        await swap
        await asyncio.sleep(0.1)
        assert (await lifecycle.ready()).source.name == "b"
        assert mended.loads == loads
        assert not lifecycle.on_fallback


async def test_failures_of_the_old_model_are_not_the_new_ones() -> None:
    stuck = Stuck()
    async with lifecycle_of(source("a"), source("small"), retry_s=0.02) as lifecycle:
        await lifecycle.ready()
        swap = asyncio.create_task(lifecycle.swap(stuck_source("b", stuck)))
        await stuck.has_started()
        for _ in range(3):
            await utter(lifecycle, FAILED)
        stuck.let_go.set()
        await swap
        await asyncio.sleep(0.1)
        assert [step.model for step in lifecycle.record.transitions][-1] == "b"
        assert lifecycle.error is None


async def test_under_overload_the_chosen_model_waits_for_calm() -> None:
    async with lifecycle_of(source("a"), source("small")) as lifecycle:
        await lifecycle.ready()
        lifecycle.set_overloaded(overloaded=True)
        await eventually(lambda: lifecycle.on_fallback)
        with pytest.raises(ModelFileError):
            await lifecycle.swap(broken())
        await lifecycle.swap(source("b"))
        assert (await lifecycle.ready()).source.name == "small"
        assert lifecycle.state is ModelState.READY
        lifecycle.set_overloaded(overloaded=False)
        await eventually(lambda: not lifecycle.on_fallback)
        assert (await lifecycle.ready()).source.name == "b"


async def test_overload_during_an_exchange_ends_with_the_fallback() -> None:
    stuck = Stuck()
    async with lifecycle_of(source("a"), source("small")) as lifecycle:
        await lifecycle.ready()
        swap = asyncio.create_task(lifecycle.swap(stuck_source("b", stuck)))
        await stuck.has_started()
        lifecycle.set_overloaded(overloaded=True)
        stuck.let_go.set()
        await swap
        await eventually(lambda: lifecycle.on_fallback)
        assert (await lifecycle.ready()).source.name == "small"


@pytest.mark.parametrize("loads", [True, False])
async def test_overload_before_anything_is_loaded(*, loads: bool) -> None:
    fallback = source("small") if loads else broken("small")
    async with lifecycle_of(source("a"), fallback) as lifecycle:
        lifecycle.set_overloaded(overloaded=True)
        assert (await lifecycle.ready()).source.name == ("small" if loads else "a")


async def test_an_exchange_that_is_given_up_changes_nothing() -> None:
    stuck = Stuck()
    async with lifecycle_of(source("a")) as lifecycle:
        await lifecycle.ready()
        swap = asyncio.create_task(lifecycle.swap(stuck_source("b", stuck)))
        await stuck.has_started()
        swap.cancel()
        await asyncio.wait([swap])
        stuck.let_go.set()
        assert lifecycle.state is ModelState.READY
        await lifecycle.swap(source("c"))
        assert (await lifecycle.ready()).source.name == "c"
