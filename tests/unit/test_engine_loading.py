"""Before the model is ready, and when it never will be."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.chunks import every
from tests.support.engines import OPEN, Stuck, engine_on, eventually
from tests.support.recognizers import ScriptedRecognizer, ScriptedStream
from tests.support.sound import loud
from wyoming_stt.audio.endpoint import EndpointOptions
from wyoming_stt.audio.gate import VadOptions
from wyoming_stt.audio.vad import VADS, EnergyVad
from wyoming_stt.decoding.hypothesis import EMPTY, Hypothesis
from wyoming_stt.decoding.options import Hotword, SearchOptions
from wyoming_stt.engine import Engine, EngineOptions, ModelSource, ModelState, UtteranceOptions
from wyoming_stt.errors import (
    InferenceError,
    LimitError,
    ModelError,
    ModelFileError,
    ModelNotReadyError,
    SettingsError,
    ShuttingDownError,
    SttError,
)
from wyoming_stt.lifecycle import LifecycleOptions
from wyoming_stt.models.base import Recognizer
from wyoming_stt.models.families.fake import FakeRecognizer, FakeStream


@pytest.fixture
def stuck() -> Iterator[Stuck]:
    call = Stuck()
    yield call
    call.let_go.set()


async def test_the_engine_is_open_before_the_model_is_ready(stuck: Stuck) -> None:
    def load() -> Recognizer:
        stuck()
        return FakeRecognizer()

    async with engine_on(load, wait=False) as engine, engine.open(OPEN) as lease:
        await stuck.has_started()
        assert (engine.state, engine.info) == (ModelState.LOADING, None)
        for piece in every(loud(1.5), 777):
            assert await lease.accept(piece) == []
        stuck.let_go.set()
        recognizer = await engine.ready()
        assert (engine.state, engine.info) == (ModelState.READY, recognizer.info)
        events = await lease.accept(loud(0.2)) + await lease.finish()
        assert events[-1].text == "turn on the kitchen light please"
        assert events[-1].position == round(1.7 * 16_000)


async def test_the_end_waits_for_the_model(stuck: Stuck) -> None:
    def load() -> Recognizer:
        stuck()
        return FakeRecognizer()

    async with engine_on(load, wait=False) as engine, engine.open(OPEN) as lease:
        await lease.accept(loud(0.6))
        end = asyncio.create_task(lease.finish())
        await stuck.has_started()
        assert not end.done()
        stuck.let_go.set()
        assert (await end)[-1].text == "turn on"


async def test_what_is_kept_is_bounded(stuck: Stuck) -> None:
    async with engine_on(stuck, wait=False, max_utterance_s=2.0) as engine:
        async with engine.open(OPEN) as lease:
            await lease.accept(loud(2))
            with pytest.raises(LimitError):
                await lease.accept(b"\0")
        stuck.let_go.set()


async def test_loading_takes_none_of_the_threads(stuck: Stuck) -> None:
    names: list[str] = []

    def load() -> Recognizer:
        names.append(threading.current_thread().name)
        stuck()
        return FakeRecognizer()

    before = threading.active_count()
    async with engine_on(load, wait=False, workers=1):
        await stuck.has_started()
        assert threading.active_count() - before >= 2
        stuck.let_go.set()
    assert names == ["inference"]


async def test_the_whole_path_is_run_before_the_first_speaker_comes() -> None:
    finished: list[int] = []
    recognizer = ScriptedRecognizer(
        finish=lambda stream: finished.append(stream.number) or ScriptedRecognizer().finish(stream)
    )
    async with engine_on(lambda: recognizer):
        (stream,) = recognizer.streams
        assert stream.num_samples == 16_000
        assert finished == [0]


async def test_the_warm_up_listens_as_utterances_will_be_listened_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    searches: list[SearchOptions] = []
    detectors: list[float] = []

    class Recorder(FakeRecognizer):
        def open(self, options: SearchOptions) -> FakeStream:
            searches.append(options)
            return super().open(options)

    def detector(sensitivity: float) -> EnergyVad:
        detectors.append(sensitivity)
        return EnergyVad()

    monkeypatch.setitem(VADS, "silero", detector)
    expected = UtteranceOptions(
        search=SearchOptions(method="beam", hotwords=(Hotword("Liisa"),)),
        vad=VadOptions(kind="silero", sensitivity=0.7),
        endpoint=EndpointOptions(),
    )
    engine = Engine(ModelSource("fake", Recorder), EngineOptions(workers=1), expected=expected)
    await engine.ready()
    assert (searches, detectors) == ([expected.search], [0.7])
    await engine.close()


# Failures.


def fail_to_load() -> Recognizer:
    raise ModelFileError(Path("encoder.onnx"), "an ONNX model", "nothing")


def fail_otherwise() -> Recognizer:
    raise MemoryError("cannot allocate 4 GB")


def fail_to_run() -> Recognizer:
    return ScriptedRecognizer(push=lambda _stream: 1 / 0)


@pytest.mark.parametrize(
    ("load", "error", "message"),
    [
        (fail_to_load, ModelFileError, "encoder.onnx: expected an ONNX model, found nothing"),
        (fail_otherwise, ModelError, "could not be made ready: .*cannot allocate 4 GB"),
        (fail_to_run, ModelError, "could not be made ready: .*ZeroDivisionError"),
    ],
)
async def test_a_failed_load_is_told_to_all(
    load: Callable[[], Recognizer], error: type[SttError], message: str
) -> None:
    async with engine_on(load, wait=False) as engine, engine.open(OPEN) as early:
        await early.accept(loud(1))
        with pytest.raises(error, match=message) as told:
            await engine.ready()
        assert type(told.value) is error, "one that says it is still loading would be asked again"
        assert (engine.state, engine.info) == (ModelState.ERROR, None)
        with pytest.raises(error, match=message):
            await early.finish()
        async with engine.open(OPEN) as late:
            for call in (late.accept(loud(1)), late.finish()):
                with pytest.raises(error, match=message):
                    await call


async def test_a_failed_load_does_not_grow() -> None:
    """Every refusal raises the same error, which must not collect their frames."""

    async def frames_of_a_refusal(engine: Engine) -> int:
        try:
            await engine.ready()
        except ModelFileError as error:
            trace, count = error.__traceback__, 0
            while trace is not None:
                trace, count = trace.tb_next, count + 1
            return count
        return 0

    async with engine_on(fail_to_load, wait=False) as engine:
        counts = [await frames_of_a_refusal(engine) for _ in range(5)]
        assert counts == counts[:1] * 5


async def test_a_load_that_takes_too_long_fails(stuck: Stuck) -> None:
    patience = LifecycleOptions(load_timeout_s=0.05)
    async with engine_on(stuck, wait=False, lifecycle=patience) as engine:
        for _ in range(2):
            with pytest.raises(ModelNotReadyError, match=r"still loading|could not be made ready"):
                await engine.ready()
        stuck.let_go.set()


async def test_an_engine_that_was_not_started_starts_when_someone_speaks() -> None:
    engine = Engine(ModelSource("fake", FakeRecognizer), EngineOptions(workers=1))
    async with engine.open(OPEN) as lease:
        await lease.accept(loud(1))
        assert (await lease.finish())[-1].text == "turn on the kitchen"
    await engine.close()


async def test_a_model_that_fails_again_and_again_gives_way_to_the_fallback() -> None:
    engine = Engine(
        ModelSource("big", lambda: ScriptedRecognizer(push=fail_after_warm_up())),
        EngineOptions(workers=1, gather_s=0.0),
        fallback=ModelSource("small", FakeRecognizer),
    )
    await engine.ready()
    for _ in range(LifecycleOptions().max_failures):
        async with engine.open(OPEN) as lease:
            with pytest.raises(InferenceError):
                await lease.accept(loud(1))
    await eventually(lambda: engine.lifecycle.on_fallback)
    async with engine.open(OPEN) as lease:
        await lease.accept(loud(1))
        assert (await lease.finish())[-1].text == "turn on the kitchen"
    await engine.close()


def fail_after_warm_up() -> Callable[[ScriptedStream], Hypothesis]:
    def push(stream: ScriptedStream) -> Hypothesis:
        if stream.number:
            raise ValueError("odd")
        return EMPTY

    return push


# The end.


async def test_closing_does_not_wait_for_a_load(stuck: Stuck) -> None:
    async with engine_on(stuck, wait=False) as engine, engine.open(OPEN) as lease:
        waiting = asyncio.create_task(lease.finish())
        await stuck.has_started()
        await engine.close()
        assert engine.state is ModelState.CLOSED
        with pytest.raises(ShuttingDownError):
            await waiting
        with pytest.raises(ShuttingDownError):
            await lease.accept(loud(1))
        stuck.let_go.set()
    assert engine.state is ModelState.CLOSED


async def test_whoever_waits_for_the_model_may_leave(stuck: Stuck) -> None:
    async with engine_on(stuck, wait=False) as engine:
        waiting = asyncio.create_task(engine.ready())
        await stuck.has_started()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        stuck.let_go.set()


async def test_audio_kept_while_loading_is_bounded() -> None:
    loaded = threading.Event()

    def load() -> Recognizer:
        loaded.wait()
        return FakeRecognizer()

    engine = Engine(ModelSource("fake", load), EngineOptions(workers=1, max_kept_bytes=1000))
    await engine.start()
    try:
        async with engine.open(UtteranceOptions()) as lease:
            await lease.accept(bytes(1000))
            with pytest.raises(LimitError, match="max_kept_bytes"):
                await lease.accept(bytes(2))
    finally:
        loaded.set()
        await engine.close()


@pytest.mark.parametrize(
    "wrong", [{"workers": -1}, {"max_utterances": 0}, {"slice_s": 0.0}, {"inference_timeout_s": 0}]
)
def test_bounds_that_let_nothing_through_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        EngineOptions(**wrong)
