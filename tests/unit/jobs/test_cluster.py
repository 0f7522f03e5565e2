"""What only a queue on Redis can do, or fail to do."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.job_queues import FAST, Backend, submitted, until_ended
from tests.support.redis_server import RedisServer, needs_redis, redis_server
from wyoming_stt.errors import JobsUnavailableError
from wyoming_stt.jobs.cluster import STREAM
from wyoming_stt.jobs.job import JobState

pytestmark = needs_redis


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path, password="sesame") as running:  # noqa: S106
        yield running


@pytest.fixture
def backend(redis: RedisServer, tmp_path: Path) -> Backend:
    secret = tmp_path / "password"
    secret.write_text("sesame\n")
    url = redis.url.replace(":sesame@", "")
    return Backend(replace(FAST, backend=url, redis_password_file=secret), tmp_path / "data")


async def test_messages_that_were_lost_are_sent_again(backend: Backend) -> None:
    async with backend.opened() as (store, _), backend.desk() as desk:
        jobs = [await submitted(desk) for _ in range(3)]
        await store._redis.delete(STREAM)
        async with backend.running() as running:
            ended = [await until_ended(running, job.id) for job in jobs]
    assert {job.state for job in ended} == {JobState.COMPLETED}


async def test_redis_may_go_away_and_come_back(backend: Backend, redis: RedisServer) -> None:
    async with backend.running() as desk:
        await until_ended(desk, (await submitted(desk)).id)
        await asyncio.to_thread(redis.stop)
        assert not (await desk.stats()).is_healthy
        with pytest.raises(JobsUnavailableError):
            await submitted(desk)
        await asyncio.to_thread(redis.start)
        assert (await desk.stats()).is_healthy
        job = await until_ended(desk, (await submitted(desk)).id)
        assert job.state is JobState.COMPLETED
        names = [entry.name for entry in await backend.spool().entries()]
        assert all(name.endswith(".json") or name == job.id for name in names)
