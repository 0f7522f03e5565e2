"""One worker's try at one job."""

import asyncio
from pathlib import Path

import pytest

from tests.support.engines import eventually
from tests.support.job_queues import backend_of, submitted
from tests.support.recognizers import ScriptedRecognizer, ScriptedStream
from wyoming_stt.decoding.hypothesis import EMPTY, Hypothesis
from wyoming_stt.degrade import Level
from wyoming_stt.jobs import attempt
from wyoming_stt.jobs.job import JobState
from wyoming_stt.jobs.worker import JobWorker

SECONDS = 6.0


async def test_it_pauses_in_an_emergency_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "LOOK_S", 0.01)
    heard: list[int] = []

    def push(stream: ScriptedStream) -> Hypothesis:
        heard.append(stream.sizes[-1])
        if sum(heard) == 2 * 16_000:
            tools.engine.relief.level = Level.EMERGENCY
        return EMPTY

    model = ScriptedRecognizer()
    with backend_of("sqlite", tmp_path) as backend:
        async with backend.opened() as (store, _), backend.desk() as desk:
            job = await submitted(desk, SECONDS)
            async with backend.tools(store, lambda: model) as tools:
                model.push = push  # it is warm
                working = asyncio.create_task(JobWorker("one", tools).work(job.id))
                await eventually(lambda: tools.engine.relief.refuses_background)
                await asyncio.sleep(3 * backend.options.lease_s)
                # What was on its way has been decoded, no more; and the job is not taken away.
                assert sum(heard) < 0.6 * SECONDS * 16_000
                paused = await store.get(job.id)
                assert (paused.state, paused.tries) == (JobState.PROCESSING, 1)
                tools.engine.relief.level = Level.NORMAL
                assert await working is JobState.COMPLETED
    assert sum(heard) == pytest.approx(SECONDS * 16_000, rel=0.01)
