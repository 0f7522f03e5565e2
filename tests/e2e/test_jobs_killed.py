"""Forty recordings, workers that are killed every second, and nothing lost."""

import asyncio
import contextlib
import random
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.engines import engine_on
from tests.support.job_queues import DEFAULTS
from tests.support.listening import finals, listen
from tests.support.media import encode
from tests.support.program import PROGRAM, server
from tests.support.redis_server import PROGRAM as REDIS
from tests.support.redis_server import RedisServer, redis_server
from wyoming_stt.media_stream import MediaStream
from wyoming_stt.recording import RecordingOptions

JOBS = 40
WORKERS = 3
DURATIONS_S = (65, 95, 125, 155)
PATIENCE_S = 240.0
SETTINGS = {
    "jobs.beat_s": 0.3,
    "jobs.lease_s": 1.5,
    "jobs.max_tries": 100,
    "jobs.min_free_bytes": 0,
    "upgrade.enabled": "false",
}


class Workers:
    """Processes that are replaced when they die."""

    def __init__(self, arguments: list[str], log: Path) -> None:
        self._arguments = arguments
        self._log = log.open("ab")
        self._processes = [self._start() for _ in range(WORKERS)]
        self.killed = 0

    def kill_one(self, dice: random.Random) -> None:
        number = dice.randrange(WORKERS)
        self._processes[number].kill()
        self._processes[number].wait()
        self._processes[number] = self._start()
        self.killed += 1

    def close(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
        self._log.close()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*PROGRAM, "worker", *self._arguments], stderr=self._log)


@pytest.fixture(params=["sqlite", "redis"])
def redis(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer | None]:
    if request.param == "sqlite":
        yield None
    elif REDIS is None:
        pytest.skip("no redis-server here (apt-get install redis-server)")
    else:
        with redis_server(tmp_path) as running:
            yield running


@pytest.fixture
def recordings(tmp_path: Path) -> list[Path]:
    files = []
    for duration_s in DURATIONS_S:
        file = tmp_path / f"{duration_s}.ogg"
        file.write_bytes(encode("ogg", "libopus", rate=16_000, duration_s=duration_s))
        files.append(file)
    return files


async def words_of(file: Path) -> str:
    """What is heard in it where nothing happens meanwhile."""
    async with engine_on() as engine, MediaStream(file) as media:
        pieces = [pcm async for pcm in media]
        options = DEFAULTS.__class__(format=media.format, vad=DEFAULTS.vad)
        events = await listen(engine, pieces, RecordingOptions(), options)
    return " ".join(final.text for final in finals(events) if final.text)


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE_S + 60)
async def test_nothing_is_lost_and_nothing_done_twice(
    redis: RedisServer | None, recordings: list[Path], tmp_path: Path
) -> None:
    expected = {file: await words_of(file) for file in recordings}
    assert len(set(expected.values())) == len(recordings)
    backend = redis.url if redis else "sqlite"
    changes = {**SETTINGS, "data_dir": tmp_path / "data", "vad.kind": "energy"}
    arguments = ["--model", "fake", "--jobs", backend]
    for name, value in changes.items():
        arguments += ["--set", f"{name}={value}"]
    started = time.monotonic()
    with contextlib.closing(Workers(arguments, tmp_path / "workers.log")) as workers:
        with serving(arguments) as url:
            jobs = await submit(url, recordings)
            await harass(url, workers, redis, until_done=JOBS // 2)
        # The server was restarted; the workers did not wait for it.
        with serving(arguments) as url:
            await harass(url, workers, None, until_done=JOBS)
            answers = await results(url, jobs)
    tries = [answer["tries"] for answer in answers.values()]
    print(
        f"\n{backend.partition(':')[0]}: {JOBS} jobs, {workers.killed} workers killed, "
        f"tries {sorted(Counter(tries).items())}, {time.monotonic() - started:.0f} s"
    )
    assert workers.killed > 3
    assert max(tries) > 1, "nobody was killed at work"
    for job_id, file in jobs.items():
        assert answers[job_id]["status"] == "completed"
        assert answers[job_id]["result"]["text"] == expected[file]
    files = [file.name for file in (tmp_path / "data" / "jobs").glob("*.json")]
    named = {name.partition(".")[0] for name in files}
    assert named == set(jobs), "no result of a job that nobody asked for"


@contextlib.contextmanager
def serving(arguments: list[str]) -> Iterator[str]:
    with server(*arguments, "--set", "jobs.workers=0", patience_s=PATIENCE_S) as running:
        yield running.http()


async def submit(url: str, recordings: list[Path]) -> dict[str, Path]:
    jobs = {}
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        for number in range(JOBS):
            file = recordings[number % len(recordings)]
            headers = {"Idempotency-Key": f"recording {number}"}
            for _ in range(2):  # as who did not hear the first answer
                answer = await client.post(
                    "/v1/jobs",
                    content=file.read_bytes(),
                    headers=headers,
                    params={"language": "en"},
                )
                assert answer.status_code == 202, answer.text
                jobs[answer.json()["job_id"]] = file
    assert len(jobs) == JOBS
    return jobs


async def harass(url: str, workers: Workers, redis: RedisServer | None, until_done: int) -> None:
    """Kill a worker every second, and Redis once, until so many jobs are completed."""
    dice = random.Random(7)
    async with asyncio.timeout(PATIENCE_S):
        for second in range(round(PATIENCE_S)):
            await asyncio.sleep(1)
            await asyncio.to_thread(workers.kill_one, dice)
            if redis is not None and second == 2:
                await asyncio.to_thread(redis.stop)
                await asyncio.to_thread(redis.start)
            if await completed(url) >= until_done:
                return


async def completed(url: str) -> int:
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        answer = await client.get("/v1/jobs", params={"status": "completed", "limit": 200})
        return len(answer.json()["jobs"]) if answer.status_code == 200 else 0


async def results(url: str, jobs: dict[str, Path]) -> dict[str, dict[str, object]]:
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        return {job_id: (await client.get(f"/v1/jobs/{job_id}")).json() for job_id in jobs}
