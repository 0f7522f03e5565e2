"""What is done without at each level, as utterances, jobs and operators notice it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.support.engines import OPEN, engine_on, eventually, set_level
from tests.support.http_door import ANYWHERE, open_door
from tests.support.recognizers import ScriptedRecognizer
from tests.support.sound import loud
from wyoming_stt.decoding.options import SearchOptions
from wyoming_stt.degrade import DegradeOptions, Level
from wyoming_stt.engine import Engine, EngineOptions, ModelSource
from wyoming_stt.events import PartialTranscript
from wyoming_stt.front.http.options import HttpOptions
from wyoming_stt.models.base import RecognizerStream
from wyoming_stt.models.families.fake import FakeRecognizer

BEAM = replace(OPEN, search=SearchOptions(method="beam"), partials=True)
QUICK = DegradeOptions(short_window_s=0.05, long_window_s=0.1, hold_s=0.0, calm_s=0.05)
LEVELS = list(Level)


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    async with engine_on(workers=1) as engine:
        yield engine


@pytest.mark.parametrize("level", LEVELS)
async def test_each_level_does_without_one_thing_more(engine: Engine, level: Level) -> None:
    relief = engine.relief
    set_level(engine, level)
    options = relief.applied(BEAM)
    is_poor = level >= Level.DEGRADE
    assert relief.gathered_s(0.16) == (0.16 if level is Level.NORMAL else 0.64)
    assert options.search.method == ("greedy" if is_poor else "beam")
    assert options.partials is not is_poor
    assert relief.refuses_background is (level >= Level.EMERGENCY)


async def test_whoever_gathers_more_goes_on_to(engine: Engine) -> None:
    set_level(engine, Level.WARNING)
    assert engine.relief.gathered_s(1.0) == 1.0


@pytest.mark.parametrize(("level", "calls"), [(Level.NORMAL, 8), (Level.WARNING, 2)])
async def test_larger_batches(level: Level, calls: int) -> None:
    model = ScriptedRecognizer()
    async with engine_on(lambda: model, gather_s=0.16) as engine:
        set_level(engine, level)
        async with engine.open(OPEN) as lease:
            for _ in range(128):
                await lease.accept(loud(0.01))
        assert len(model.streams[-1].sizes) == calls


@pytest.mark.parametrize("level", LEVELS)
async def test_greedy_search_and_no_partial_transcripts(level: Level) -> None:
    searched: list[str] = []

    class Model(FakeRecognizer):
        def open(self, options: SearchOptions) -> RecognizerStream:
            searched.append(options.method)
            return super().open(options)

    async with engine_on(Model) as engine:
        set_level(engine, level)
        async with engine.open(BEAM) as lease:
            events = await lease.accept(loud(0.96))
            events += await lease.finish()
    is_poor = level >= Level.DEGRADE
    assert searched[-1] == ("greedy" if is_poor else "beam")
    assert any(isinstance(event, PartialTranscript) for event in events) is not is_poor
    assert events[-1].text == "turn on the"


async def test_an_utterance_that_has_begun_ends_as_it_began(engine: Engine) -> None:
    async with engine.open(BEAM) as lease:
        set_level(engine, Level.DEGRADE)
        events = await lease.accept(loud(0.96))
    assert any(isinstance(event, PartialTranscript) for event in events)


async def test_the_last_level_brings_in_the_fallback_and_calm_the_chosen_model(
    caplog: pytest.LogCaptureFixture,
) -> None:
    slow, quick = ModelSource("slow", FakeRecognizer), ModelSource("quick", FakeRecognizer)
    engine = Engine(slow, EngineOptions(workers=1), fallback=quick, degrade=QUICK)
    await engine.ready()
    with caplog.at_level(logging.INFO):
        async with asyncio.timeout(20):
            while not engine.lifecycle.on_fallback:
                engine.relief.record(1.0, 3.0, 0.0)
                await asyncio.sleep(0.005)
        await eventually(lambda: engine.relief.level is Level.NORMAL)
        await eventually(lambda: not engine.lifecycle.on_fallback)
    await engine.close()
    assert [engine.relief.counts[level] for level in LEVELS] == [1, 2, 2, 2, 1]
    told = [(r.levelname, r.getMessage()) for r in caplog.records if "Load: " in r.getMessage()]
    assert told[0][0] == "WARNING"
    assert told[0][1].startswith("Load: WARNING after NORMAL (lately: real-time factor 3.00, ")
    assert told[-1][0] == "INFO"
    assert told[-1][1].startswith("Load: NORMAL after WARNING")


async def test_closed_it_looks_no_more(engine: Engine) -> None:
    set_level(engine, Level.WARNING)
    await engine.close()
    engine.relief.record(1.0, 3.0, 0.0)
    engine.relief.record_admission(5.0)
    assert engine.relief._timer is None


@pytest.mark.parametrize("level", [level for level in LEVELS if level])
async def test_health_and_metrics_show_the_level(level: Level) -> None:
    options = HttpOptions(uri=ANYWHERE, metrics=True)
    async with open_door(options) as door, door.client() as client:
        set_level(door.engine, level)
        health = (await client.get("/health")).json()
        assert (health["status"], health["degrade_level"]) == ("degraded", level.name.lower())
        status = (await client.get("/model-status")).json()
        assert status["degrade_level"] == level.name.lower()
        assert status["load"]["short"] == {
            "rtf": 0.0,
            "turnaround": 0.0,
            "queue_wait_s": 0.0,
            "busy": 0.0,
        }
        metrics = (await client.get("/metrics")).text
        assert f"\nwyoming_stt_degrade_level {float(level)}\n" in metrics
