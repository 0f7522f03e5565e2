"""Which model serves, after all that can happen to it."""

import asyncio
import contextlib

import pytest

from tests.support.engines import Stuck, eventually
from tests.support.lifecycles import (
    FAILED,
    Mended,
    broken,
    lifecycle_of,
    source,
    states,
    stuck_source,
    utter,
)
from wyoming_stt.errors import (
    ModelError,
    ModelFileError,
    ModelNotReadyError,
    SettingsError,
    ShuttingDownError,
)
from wyoming_stt.lifecycle import LifecycleOptions
from wyoming_stt.loading import ModelSource
from wyoming_stt.model_state import ModelState
from wyoming_stt.models.base import Recognizer
from wyoming_stt.models.families.fake import FakeRecognizer


async def test_it_loads_warms_and_serves() -> None:
    async with lifecycle_of(source("a")) as lifecycle:
        assert lifecycle.state is ModelState.UNINITIALIZED
        model = await lifecycle.ready()
        assert states(lifecycle) == [ModelState.LOADING, ModelState.WARMING_UP, ModelState.READY]
        assert lifecycle.info == model.recognizer.info
        assert model.source.name == "a"
        assert not lifecycle.on_fallback


async def test_two_who_come_at_once_share_one_load() -> None:
    mended = Mended()
    mended.whole = True
    async with lifecycle_of(source("a", mended)) as lifecycle:
        models = await asyncio.gather(*(lifecycle.ready() for _ in range(5)))
        assert len(set(map(id, models))) == mended.loads == 1


async def test_one_who_leaves_does_not_take_the_load_along() -> None:
    stuck = Stuck()
    async with lifecycle_of(source("a", lambda: stuck() and FakeRecognizer())) as lifecycle:
        leaving, staying = (asyncio.create_task(lifecycle.ready()) for _ in range(2))
        await stuck.has_started()
        leaving.cancel()
        stuck.let_go.set()
        assert (await staying).source.name == "a"


async def test_waiting_for_a_load_has_an_end() -> None:
    stuck = Stuck()
    async with lifecycle_of(source("a", stuck), load_timeout_s=0.05) as lifecycle:
        with pytest.raises(ModelNotReadyError):
            await lifecycle.ready()
        await eventually(lambda: lifecycle.state is ModelState.ERROR)
        stuck.let_go.set()


# Falling back.


async def test_a_model_that_cannot_be_loaded_is_replaced_by_the_fallback() -> None:
    async with lifecycle_of(broken(), source("small")) as lifecycle:
        assert (await lifecycle.ready()).source.name == "small"
        assert lifecycle.on_fallback
        assert "an ONNX model" in str(lifecycle.error)
        (failure,) = lifecycle.record.failures
        assert (failure.model, failure.code) == ("broken", ModelFileError.code)


async def test_without_a_fallback_it_says_why() -> None:
    async with lifecycle_of(broken()) as lifecycle:
        for _ in range(2):
            with pytest.raises(ModelFileError, match=r"encoder\.onnx"):
                await lifecycle.ready()
        assert lifecycle.state is ModelState.ERROR


async def test_two_broken_models_are_an_error() -> None:
    async with lifecycle_of(broken(), broken("too")) as lifecycle:
        with pytest.raises(ModelFileError):
            await lifecycle.ready()
        assert [failure.model for failure in lifecycle.record.failures] == ["broken", "too"]


@pytest.mark.parametrize("fallback", [None, source("small")])
async def test_it_recovers_by_itself(fallback: ModelSource | None) -> None:
    mended = Mended()
    async with lifecycle_of(source("big", mended), fallback, retry_s=0.02) as lifecycle:
        with contextlib.suppress(ModelError):
            await lifecycle.ready()
        await eventually(lambda: mended.loads >= 3)
        mended.whole = True
        await eventually(lambda: lifecycle.active is not None and not lifecycle.on_fallback)
        assert (await lifecycle.ready()).source.name == "big"


async def test_a_failed_model_is_not_tried_at_every_utterance() -> None:
    mended = Mended()
    async with lifecycle_of(source("big", mended), retry_s=60.0) as lifecycle:
        for _ in range(20):
            with pytest.raises(ModelFileError):
                await lifecycle.ready()
        assert mended.loads == 1


async def test_three_failed_utterances_in_a_row_bring_in_the_fallback() -> None:
    async with lifecycle_of(source("big"), source("small"), retry_s=60.0) as lifecycle:
        for error in (FAILED, FAILED, None, FAILED, FAILED):
            assert (await utter(lifecycle, error)).source.name == "big"
        await utter(lifecycle, FAILED)
        await eventually(lambda: lifecycle.on_fallback)
        assert (await utter(lifecycle)).source.name == "small"
        assert "failed 3 times in a row" in str(lifecycle.error)


async def test_a_model_that_failed_utterances_gets_another_chance() -> None:
    async with lifecycle_of(source("big"), source("small"), retry_s=0.05) as lifecycle:
        for _ in range(3):
            await utter(lifecycle, FAILED)
        await eventually(lambda: lifecycle.on_fallback)
        await eventually(lambda: not lifecycle.on_fallback)


async def test_overload_brings_in_the_fallback_and_calm_the_chosen_model() -> None:
    async with lifecycle_of(source("big"), source("small")) as lifecycle:
        await lifecycle.ready()
        lifecycle.set_overloaded(overloaded=True)
        await eventually(lambda: lifecycle.on_fallback)
        lifecycle.set_overloaded(overloaded=False)
        await eventually(lambda: not lifecycle.on_fallback)


async def test_the_last_resort_stands_in_for_what_takes_its_place() -> None:
    inside = source("inside")
    async with lifecycle_of(inside, inside, retry_s=60.0) as lifecycle:
        await lifecycle.ready()
        assert lifecycle.fallback is None
        await lifecycle.swap(source("big"))
        assert lifecycle.fallback == inside
        for _ in range(3):
            await utter(lifecycle, FAILED)
        await eventually(lambda: lifecycle.on_fallback)
        assert (await utter(lifecycle)).source == inside


async def test_a_retry_is_shared_by_those_who_come_meanwhile() -> None:
    stuck = Stuck()
    loads = iter([broken().load, stuck_source("a", stuck).load])

    def load() -> Recognizer:
        return next(loads)()

    chosen = ModelSource("a", load)
    async with lifecycle_of(chosen, retry_s=0.02) as lifecycle:
        with pytest.raises(ModelFileError):
            await lifecycle.ready()
        await stuck.has_started()
        assert lifecycle.is_loading
        waiting = asyncio.create_task(lifecycle.ready())
        await asyncio.sleep(0.01)
        stuck.let_go.set()
        assert (await waiting).source == chosen
        assert lifecycle.record.counts[ModelState.LOADING] == 2


async def test_one_utterance_that_is_decoded_makes_good_for_those_that_were_not() -> None:
    async with lifecycle_of(source("a"), retry_s=60.0) as lifecycle:
        for error in (FAILED, FAILED, FAILED):
            await utter(lifecycle, error)
        assert lifecycle.error is not None
        await utter(lifecycle)
        assert lifecycle.error is None


# The end.


async def test_closed_it_serves_nobody() -> None:
    async with lifecycle_of(source("a")) as lifecycle:
        await lifecycle.ready()
        await lifecycle.close()
        assert lifecycle.state is ModelState.CLOSED
        with pytest.raises(ShuttingDownError):
            await lifecycle.ready()
        with pytest.raises(ShuttingDownError):
            await lifecycle.swap(source("b"))


async def test_closing_ends_a_load() -> None:
    stuck = Stuck()
    async with lifecycle_of(source("a", stuck)) as lifecycle:
        waiting = asyncio.create_task(lifecycle.ready())
        await stuck.has_started()
        await lifecycle.close()
        with pytest.raises(ShuttingDownError):
            await waiting
        stuck.let_go.set()


@pytest.mark.parametrize("wrong", [{"retry_s": 0.0}, {"max_failures": 0}, {"unload_after_s": -1.0}])
def test_senseless_options_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        LifecycleOptions(**wrong)
