"""Who frees the memory of a model, when, and that it comes back."""

import asyncio
import gc
import weakref

from tests.support.engines import eventually
from tests.support.lifecycles import lifecycle_of, source, utter
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


async def test_unloading_on_demand_lets_utterances_end() -> None:
    async with lifecycle_of(source("a")) as lifecycle:
        model = await lifecycle.acquire()
        lifecycle.unload()
        assert lifecycle.state is ModelState.UNLOADED
        assert model.recognizer is not None
        lifecycle.release(model)
        assert not hasattr(model, "recognizer")
