"""What only a queue on Redis can do, or fail to do."""

import asyncio
import gc
import logging
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.certificates import self_signed
from tests.support.job_queues import FAST, Backend, new_job, submitted, until_ended
from tests.support.redis_server import RedisServer, needs_redis, redis_server
from tests.support.uploads import Held, hold
from wyoming_stt.errors import JobsUnavailableError
from wyoming_stt.jobs.backends import SOCKET_S
from wyoming_stt.jobs.cluster import GROUP, LEAVE_S, STREAM
from wyoming_stt.jobs.job import Job, JobState

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


async def test_a_lost_message_does_not_wait_until_nobody_sends_any_more(backend: Backend) -> None:
    async with backend.opened() as (store, feed):
        redis = store._redis
        await feed._broker.startup()

        async def read() -> None:
            await redis.xreadgroup(GROUP, "a worker that dies", {STREAM: ">"}, count=1)

        async def sent(job: Job) -> int:
            messages = [fields[b"data"] for _, fields in await redis.xrange(STREAM)]
            return sum(f'"{job.id}"'.encode() in data for data in messages)

        lost = [await store.add(new_job(), 100) for _ in range(12)]
        known = [await store.add(new_job(), 100) for _ in range(3)]
        for job in known:
            await feed.announce(job.id)
        await read()
        for _ in range(4):
            await feed.remind([*lost, *known])
        assert [await sent(job) for job in (*lost, *known)] == [0] * 12 + [1] * 3, "all in its turn"
        for _ in range(2):
            await read()
            await feed.announce(new_job().id)
        for _ in range(4):
            await feed.remind([*lost, *known])
        assert [await sent(job) for job in (*lost, *known)] == [1] * 12 + [2] * 3


async def test_redis_may_be_behind_tls(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path, "127.0.0.1")
    with redis_server(tmp_path, password="sesame", certificate=certificate) as redis:  # noqa: S106
        backend = Backend(replace(FAST, backend=redis.url), tmp_path / "data")
        async with backend.running() as desk:
            job = await until_ended(desk, (await submitted(desk)).id)
            assert job.state is JobState.COMPLETED
        doubted, _, _ = redis.url.partition("?")
        async with backend.changed(backend=doubted).opened() as (store, _):
            with pytest.raises(JobsUnavailableError, match="certificate verify failed"):
                await store.counts()


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


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """What takes longer goes on to its end, and is told then."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds


@pytest.mark.slow
async def test_a_mute_redis_is_noticed_soon(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"redis://127.0.0.1:{mute.getsockname()[1]}/0"
        backend = Backend(replace(FAST, backend=url), tmp_path)
        async with within(6 * SOCKET_S), backend.running() as desk:
            async with within(SOCKET_S + 1):
                assert not (await desk.stats()).is_healthy
            async with within(SOCKET_S + 1):
                with pytest.raises(JobsUnavailableError):
                    await submitted(desk)


@pytest.mark.slow
async def test_a_redis_that_falls_silent_keeps_nobody_from_leaving(
    backend: Backend, redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    model = Held()
    model.may_go_on.set()  # while it is warmed up
    async with within(LEAVE_S + 4 * SOCKET_S), backend.running(lambda: model) as desk:
        model.may_go_on.clear()
        job = await submitted(desk)
        await hold(model)
        redis.pause()
        model.may_go_on.set()
    redis.resume()
    gc.collect()
    assert not [line for line in caplog.records if line.levelno >= logging.ERROR]
    async with backend.running() as desk:
        assert (await until_ended(desk, job.id)).state is JobState.COMPLETED
