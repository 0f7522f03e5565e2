"""The queue put together outlives what it is made of."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.engines import eventually
from tests.support.job_queues import FAST, Backend, submitted, until_ended
from tests.support.redis_server import RedisServer, needs_redis, redis_server
from tests.support.uploads import Held, hold
from wyoming_stt.jobs import running
from wyoming_stt.jobs.job import JobState


@pytest.mark.parametrize("error", [KeyError("a mistake"), asyncio.CancelledError()])
async def test_whatever_ends_is_begun_anew(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    monkeypatch.setattr(running, "PAUSE_S", 0.0)
    begun = []

    async def work() -> None:
        begun.append(len(begun))
        if len(begun) < 3:
            raise error
        await asyncio.Event().wait()

    task = asyncio.create_task(running._lasting(work))
    await eventually(lambda: len(begun) == 3)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert [record.message for record in caplog.records] == ["Jobs: this should not happen"] * 2


async def test_who_has_no_workers_has_nothing_to_complain_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with Backend(replace(FAST, workers=0), tmp_path).running() as desk:
        job = await submitted(desk)
        await asyncio.sleep(0.2)
        assert (await desk.get(job.id)).state is JobState.QUEUED
    assert not [record for record in caplog.records if record.name.startswith("wyoming_stt.jobs")]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as server:
        yield server


@needs_redis
async def test_a_worker_keeps_its_job_while_redis_is_away_for_long(
    redis: RedisServer, tmp_path: Path
) -> None:
    backend = Backend(replace(FAST, backend=redis.url), tmp_path / "data")
    model = Held()
    model.may_go_on.set()  # while it is warmed up
    async with backend.running(lambda: model) as desk:
        model.may_go_on.clear()
        job = await submitted(desk)
        await hold(model)
        await asyncio.to_thread(redis.stop)
        await asyncio.sleep(3 * FAST.lease_s)
        model.may_go_on.set()
        await asyncio.sleep(FAST.lease_s)  # it has a result now, and cannot hand it over
        await asyncio.to_thread(redis.start)
        job = await until_ended(desk, job.id)
    assert (job.state, job.tries, job.setbacks) == (JobState.COMPLETED, 1, 0)
