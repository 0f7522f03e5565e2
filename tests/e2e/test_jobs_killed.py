"""Forty recordings, workers that are killed every second, and nothing lost."""

import asyncio
import contextlib
import random
import re
import socket
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
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

BEFORE = range(20)
DURING = range(20, 35)
"""Handed in while workers, and Redis, die."""
WITHOUT = range(35, 40)
"""Handed in while there is no server."""
JOBS = 40
WORKERS = 3
DURATIONS_S = (95, 125, 185, 245)
PATIENCE_S = 240.0
SETTINGS = {
    "jobs.beat_s": 0.3,
    "jobs.lease_s": 1.5,
    "jobs.min_free_bytes": 0,
    # More than chance can take: where a recording takes longer than the pause between two kills, as
    # on a busy machine, five tries are used up by those who die by our hand.
    "jobs.max_tries": 50,
    "upgrade.enabled": "false",
}
COMPLETED = re.compile(r"Job (\S+): completed after")


class Workers:
    """Processes that are replaced when they die."""

    def __init__(self, arguments: list[str], log: Path) -> None:
        self._arguments = arguments
        self._path = log
        self._log = log.open("ab")
        started = time.monotonic()
        self._processes = [self._start() for _ in range(WORKERS)]
        while self.log().count("Working:") < WORKERS:
            assert time.monotonic() - started < PATIENCE_S, self.log()
            time.sleep(0.05)
        # Where it takes them longer to start than they live, nobody works and nothing is shown.
        self.pause_s = max(1.0, (time.monotonic() - started) / 2)
        self.killed = 0

    def kill_one(self, dice: random.Random) -> None:
        number = dice.randrange(WORKERS)
        self._processes[number].kill()
        self._processes[number].wait()
        self._processes[number] = self._start()
        self.killed += 1

    def log(self) -> str:
        return self._path.read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
        self._log.close()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*PROGRAM, "worker", *self._arguments], stderr=self._log)


class Client:
    """Tries again until it is told that its recording is kept."""

    def __init__(self, url: str, recordings: list[Path]) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=30)
        self._recordings = [(file, file.read_bytes()) for file in recordings]
        self.jobs: dict[str, Path] = {}
        self.refused = 0

    async def submit(self, numbers: range) -> None:
        for number in numbers:
            file, content = self._recordings[number % len(self._recordings)]
            job_id = await self._submit(number, content)
            # As who did not hear the answer.
            assert await self._submit(number, content) == job_id
            self.jobs[job_id] = file

    async def completed(self) -> int:
        with contextlib.suppress(httpx.TransportError):
            params = {"status": "completed", "limit": 200}
            answer = await self._http.get("/v1/jobs", params=params)
            return len(answer.json()["jobs"]) if answer.status_code == 200 else 0
        return 0

    async def results(self) -> dict[str, dict[str, object]]:
        return {job: (await self._http.get(f"/v1/jobs/{job}")).json() for job in self.jobs}

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _submit(self, number: int, content: bytes) -> str:
        while True:
            with contextlib.suppress(httpx.TransportError):
                answer = await self._http.post(
                    "/v1/jobs",
                    content=content,
                    headers={"Idempotency-Key": f"recording {number}"},
                    params={"language": "en"},
                )
                if answer.status_code == 202:
                    return answer.json()["job_id"]
                assert answer.status_code == 503, answer.text
            self.refused += 1
            await asyncio.sleep(0.2)


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
    address = free_address()
    started = time.monotonic()
    async with contextlib.AsyncExitStack() as stack, asyncio.timeout(PATIENCE_S):
        client = await stack.enter_async_context(
            contextlib.aclosing(Client(f"http://{address}", recordings))
        )
        async with serving(arguments, address):
            await client.submit(BEFORE)
            workers = await asyncio.to_thread(Workers, arguments, tmp_path / "workers.log")
            stack.callback(workers.close)
            during = asyncio.create_task(client.submit(DURING))
            await harass(client, workers, redis, until_done=JOBS // 2, least=4)
        # The server was killed; the workers do not wait for it.
        without = asyncio.create_task(client.submit(WITHOUT))
        await asyncio.sleep(workers.pause_s)
        async with serving(arguments, address):
            await harass(client, workers, None, until_done=JOBS)
            await asyncio.gather(during, without)
            answers = await client.results()
    tries = [answer["tries"] for answer in answers.values()]
    print(
        f"\n{backend.partition(':')[0]}: {JOBS} jobs, {workers.killed} workers killed, one each "
        f"{workers.pause_s:.1f} s, {client.refused} submissions refused, "
        f"tries {sorted(Counter(tries).items())}, {time.monotonic() - started:.0f} s"
    )
    assert workers.killed > 3
    assert redis is None or redis.starts == 2
    assert client.refused, "nobody came while there was no server"
    assert max(tries) > 1, "nobody was killed at work"
    assert len(client.jobs) == JOBS
    for job_id, file in client.jobs.items():
        assert answers[job_id]["status"] == "completed"
        assert answers[job_id]["result"]["text"] == expected[file]
    # Each by one worker, who had no time to say so where it was killed right then.
    completed = Counter(COMPLETED.findall(workers.log()))
    assert set(completed.values()) == {1}, completed
    assert JOBS - workers.killed <= len(completed) <= JOBS
    files = [file.name for file in (tmp_path / "data" / "jobs").glob("*.json")]
    named = {name.partition(".")[0] for name in files}
    assert named == set(client.jobs), "no result of a job that nobody asked for"


def free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return f"127.0.0.1:{probe.getsockname()[1]}"


@contextlib.asynccontextmanager
async def serving(arguments: list[str], address: str) -> AsyncIterator[None]:
    at = ("--set", "jobs.workers=0", "--http-uri", f"tcp://{address}")
    with server(*arguments, *at, patience_s=PATIENCE_S) as running:
        await asyncio.to_thread(running.http)
        yield


async def harass(
    client: Client, workers: Workers, redis: RedisServer | None, until_done: int, least: int = 0
) -> None:
    """Kill so many workers or more, and Redis once, until so many jobs are completed."""
    dice = random.Random(7)
    number = 0
    while number < least or await client.completed() < until_done:
        await asyncio.sleep(workers.pause_s)
        await asyncio.to_thread(workers.kill_one, dice)
        number += 1
        if redis is not None and number == 3:
            await asyncio.to_thread(redis.stop)
            await asyncio.to_thread(redis.start)
