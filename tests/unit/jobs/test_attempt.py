"""One worker's try at one job: where it begins, and for whom it makes room."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest

from tests.support.engines import LONG, Stuck, eventually
from tests.support.job_queues import (
    FAST,
    HOLD,
    NOW,
    Backend,
    backend_of,
    pieces_of,
    submitted,
    wav,
)
from tests.support.recognizers import ScriptedRecognizer, ScriptedStream
from tests.support.sound import sound
from wyoming_stt.decoding.hypothesis import EMPTY, Hypothesis
from wyoming_stt.degrade import Level
from wyoming_stt.jobs import attempt
from wyoming_stt.jobs.job import Job, JobState, JobWishes, Progress
from wyoming_stt.jobs.spool import FolderSpool
from wyoming_stt.jobs.store import JobStore, Order
from wyoming_stt.jobs.worker import JobWorker

SECONDS = 6.0
SECOND = 16_000 * 4
"""Bytes of PCM, as files are decoded."""
RECORDING = wav(sound((True, 90.0)))


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


class Watched(FolderSpool):
    """Knows what is read."""

    opened: BinaryIO | None = None

    def open(self, name: str) -> BinaryIO:
        self.opened = super().open(name)
        return self.opened


async def half_done(store: JobStore, job: Job) -> None:
    """Let a worker leave it after a minute."""
    await store.update(job.id, lambda job: job.claimed(HOLD, NOW))
    done = Progress(60 * SECOND, 70.0, 0.8)
    await store.update(job.id, lambda job: job.advanced(HOLD.token, done), b"[]")
    await store.update(job.id, lambda job: job.released(HOLD.token))


async def test_the_way_to_the_last_piece_is_gone_while_nobody_speaks(tmp_path: Path) -> None:
    backend = Backend(FAST, tmp_path)
    async with backend.opened() as (store, _), backend.desk() as desk:
        job = await desk.submit(pieces_of(RECORDING), lambda: Order(JobWishes()))
        await half_done(store, job)
        async with backend.tools(store) as tools:
            spool = Watched(tmp_path / "jobs", backend.spool()._limits)
            speakers = [Stuck(), Stuck()]
            busy = [asyncio.create_task(tools.engine._pool.run(call, LONG)) for call in speakers]
            for call in speakers:
                await call.has_started()
            worker = JobWorker("one", replace(tools, spool=spool))
            work = asyncio.create_task(worker.work(job.id))
            await eventually(lambda: spool.opened is not None)
            await asyncio.sleep(0.3)  # FFmpeg needs some milliseconds for all of it
            assert spool.opened.tell() < len(RECORDING) / 4
            # Its progress is what was told before, although it is not there yet.
            assert (await store.get(job.id)).progress == Progress(60 * SECOND, 70.0, 0.8)
            for call in speakers:
                call.let_go.set()
            assert await work is JobState.COMPLETED
            await asyncio.gather(*busy)
