"""A cancellation that comes while a command goes out is not lost."""

import asyncio
from pathlib import Path

import pytest

from tests.support.certificates import self_signed
from tests.support.redis_server import PROGRAM, redis_server

redis = pytest.importorskip("redis.asyncio")


@pytest.mark.skipif(PROGRAM is None, reason="no redis-server here (apt-get install redis-server)")
@pytest.mark.parametrize("is_secret", [False, True])
async def test_who_is_cancelled_ends(tmp_path: Path, is_secret: bool) -> None:
    from wyoming_stt.jobs.cancellation import keep_cancellations  # noqa: PLC0415 - needs redis

    async def work(client: redis.Redis) -> None:
        while True:
            await client.set("key", "value")

    certificate = self_signed(tmp_path, "127.0.0.1") if is_secret else None
    with redis_server(tmp_path, certificate=certificate) as server:
        client = redis.Redis.from_url(server.url, socket_timeout=5)
        keep_cancellations(client.connection_pool)
        await client.ping()
        for steps in range(300):
            task = asyncio.create_task(work(client))
            for _ in range(steps % 17 + 1):
                await asyncio.sleep(0)
            task.cancel()
            done, _ = await asyncio.wait([task], timeout=5)
            assert done, f"lost after {steps} steps"
            assert task.cancelled()
        await client.aclose()
