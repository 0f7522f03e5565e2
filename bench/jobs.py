"""Long recordings beside a voice: what they cost it, and what the queue costs them.

First a satellite speaks every few seconds, now beside hours of queued audio, now alone; fails where
the jobs make its transcripts later than MOST times as late, or where there were none. Then workers,
from one on, empty a queue; and a model that takes no time shows what the queue itself takes for a
job. Both with each kind of queue: Redis where there is a redis-server, which keeps what it says.
"""

import asyncio
import contextlib
import io
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx

from bench.client import speak
from bench.servers import Running, Server, running
from bench.support import (
    Recording,
    median,
    milliseconds,
    options,
    percentile,
    print_table,
    recordings,
)
from wyoming_stt.types import SAMPLE_RATE

MOST = 1.5
EVERY_S = 5.0
ROUNDS = 4
"""Of each kind in turn: what else the machine does disturbs both alike."""
QUEUED = 10
"""Recordings of an hour."""
WORKERS = (1, 2, 3)
QUEUE_JOBS = 6
QUEUE_JOB_S = 120.0
TINY_JOBS = 200
QUEUES = ("SQLite", "Redis")
LOOK_S = 0.1
QUIET_LOOKS = 20
"""One after the other: between two jobs it is quiet for a moment, too."""
PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Work:
    """A queue to be emptied."""

    queue: str
    workers: int
    recording: bytes
    jobs: int


def main() -> None:
    parser = options(__doc__)
    parser.add_argument(
        "--spoken", type=int, default=44, help="utterances each; more take longer (%(default)s)"
    )
    arguments = parser.parse_args()
    spoken = recordings(arguments.recordings, 12, shortest=True)
    texts = recordings(arguments.recordings, 40)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        hour = _wav(texts, 3_600.0)
        minutes = _wav(texts, QUEUE_JOB_S)
        tiny = _wav(texts, 1.0)
        model = ["--model-dir", str(arguments.model_dir)]
        with _serving(model, folder / "voice") as (server, url):
            print(f"Model: {httpx.get(f'{url}/health').json()['model']}.\n")
            latencies, done_s = asyncio.run(_beside(server, url, hour, spoken, arguments.spoken))
        _print_latencies(latencies, done_s)
        queues = [queue for queue in QUEUES if queue != "Redis" or shutil.which("redis-server")]
        rows = [
            _throughput(model, folder, Work(queue, number, minutes, QUEUE_JOBS))
            for queue in queues
            for number in WORKERS
        ]
        print_table(("queue", "workers", "audio, s", "took, s", "times real time"), rows)
        for queue in queues:
            took_s = _empty(["--model", "fake"], folder, Work(queue, 1, tiny, TINY_JOBS))
            each = milliseconds(took_s / TINY_JOBS)
            print(f"{queue} alone: {each} ms a job of 1 s, model `fake`.", flush=True)
    ratio = percentile(latencies["beside jobs"], 95) / percentile(latencies["alone"], 95)
    if ratio > MOST:
        raise SystemExit(f"beside jobs p95 is {ratio:.2f} times what it is alone, over {MOST}")


def _print_latencies(latencies: dict[str, list[float]], done_s: list[float]) -> None:
    print(
        f"A satellite every {EVERY_S:g} s beside {QUEUED} queued hours, of which "
        f"{sum(done_s):.0f} s were done meanwhile, {min(done_s):.0f} s or more in each of {ROUNDS} "
        "turns. From the last audio to the transcript, in ms.\n"
    )
    alone = percentile(latencies["alone"], 95)
    rows = [
        (
            name,
            len(each),
            milliseconds(median(each)),
            milliseconds(percentile(each, 95)),
            milliseconds(max(each)),
            f"{percentile(each, 95) / alone:.2f}",
        )
        for name, each in latencies.items()
    ]
    print_table(("", "utterances", "median", "p95", "longest", "p95, ratio"), rows)


async def _beside(
    server: Running, url: str, hour: bytes, spoken: Sequence[Recording], number: int
) -> tuple[dict[str, list[float]], list[float]]:
    latencies: dict[str, list[float]] = {"alone": [], "beside jobs": []}
    done_s = []
    async with httpx.AsyncClient(base_url=url, timeout=120) as client:
        for _ in range(ROUNDS):
            await _quiet(client)
            latencies["alone"] += await _speak(server, spoken, number // ROUNDS)
            jobs = [await _submit(client, hour) for _ in range(QUEUED)]
            latencies["beside jobs"] += await _speak(server, spoken, number // ROUNDS)
            states = [(await client.get(f"/v1/jobs/{job}")).json() for job in jobs]
            done_s.append(sum(state["done"] for state in states))
            if not done_s[-1]:
                raise SystemExit("beside jobs: nothing of them was done in one of the turns")
            for job in jobs:
                await client.post(f"/v1/jobs/{job}/cancel")
    return latencies, done_s


async def _quiet(client: httpx.AsyncClient) -> None:
    """Wait until nothing is decoded: a job that was cancelled goes on until its worker hears it."""
    looks = 0
    async with asyncio.timeout(PATIENCE_S):
        while looks < QUIET_LOOKS:
            is_busy = (await client.get("/health")).json()["active_streams"] > 0
            looks = 0 if is_busy else looks + 1
            await asyncio.sleep(LOOK_S)


async def _speak(server: Running, spoken: Sequence[Recording], number: int) -> list[float]:
    latencies = []
    for index in range(number):
        began = time.perf_counter()
        latencies.append((await speak(server.port, spoken[index % len(spoken)].pcm)).latency_s)
        await asyncio.sleep(max(0.0, began + EVERY_S - time.perf_counter()))
    return latencies


def _throughput(model: list[str], folder: Path, work: Work) -> tuple[object, ...]:
    """Let so many processes empty a queue; count from the first start to the last end."""
    took_s = _empty(model, folder, work)
    audio_s = work.jobs * QUEUE_JOB_S
    speed = f"{audio_s / took_s:.1f}"
    return work.queue, work.workers, f"{audio_s:.0f}", f"{took_s:.1f}", speed


def _empty(model: list[str], folder: Path, work: Work) -> float:
    """Return the seconds from the first start to the last end."""
    data = folder / f"{work.queue}-{work.workers}-{work.jobs}"
    data.mkdir()
    with _queue(work.queue, data) as queue:
        command = [*model, *queue]
        with _serving([*command, "--set", "jobs.workers=0"], data) as (_, url):
            return asyncio.run(_emptied(url, _workers(command, data, work.workers), work))


async def _emptied(url: str, workers: AbstractAsyncContextManager[None], work: Work) -> float:
    async with httpx.AsyncClient(base_url=url, timeout=120) as client:
        jobs = [await _submit(client, work.recording) for _ in range(work.jobs)]
        async with workers:
            states = [await _ended(client, job) for job in jobs]
    begun = min(datetime.fromisoformat(state["started_at"]) for state in states)
    ended = max(datetime.fromisoformat(state["completed_at"]) for state in states)
    return (ended - begun).total_seconds()


async def _submit(client: httpx.AsyncClient, recording: bytes) -> str:
    answer = await client.post("/v1/jobs", content=recording)
    answer.raise_for_status()
    job: str = answer.json()["job_id"]
    return job


async def _ended(client: httpx.AsyncClient, job: str) -> dict[str, str]:
    while True:
        state: dict[str, str] = (await client.get(f"/v1/jobs/{job}")).json()
        if state["status"] not in {"queued", "processing"}:
            assert state["status"] == "completed", json.dumps(state)
            return state
        await asyncio.sleep(LOOK_S)


@contextlib.contextmanager
def _queue(kind: str, data: Path) -> Iterator[list[str]]:
    """Yield the options that lead to an empty one, which loses nothing."""
    if kind != "Redis":
        yield []
        return
    port = _free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(data)]
    command += ["--save", "", "--appendonly", "yes", "--appendfsync", "always"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            yield ["--jobs", f"redis://127.0.0.1:{port}/0"]
        finally:
            process.kill()


@contextlib.contextmanager
def _serving(arguments: list[str], data: Path) -> Iterator[tuple[Running, str]]:
    port = _free_port()
    command = [sys.executable, "-m", "wyoming_stt", "serve", "--no-zeroconf", *arguments]
    command += ["--http-uri", f"tcp://127.0.0.1:{port}", *_settings(data)]
    server = Server("ours", lambda wyoming: [*command, "--uri", f"tcp://127.0.0.1:{wyoming}"])
    with running(server) as started:
        asyncio.run(speak(started.port, bytes(32_000), paced=False))  # the model is loaded
        yield started, f"http://127.0.0.1:{port}"


@contextlib.asynccontextmanager
async def _workers(model: list[str], data: Path, number: int) -> AsyncIterator[None]:
    command = [sys.executable, "-m", "wyoming_stt", "worker", *model, *_settings(data)]
    processes = [
        subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: ASYNC220 - takes a moment
        for _ in range(number)
    ]
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _settings(data: Path) -> list[str]:
    changes = (f"data_dir={data}", "upgrade.enabled=false", "jobs.min_free_bytes=0")
    return [part for change in changes for part in ("--set", change)]


def _wav(spoken: Sequence[Recording], length_s: float) -> bytes:
    """Write recordings one after the other, again and again, up to that length."""
    left = round(length_s * SAMPLE_RATE) * 2
    file = io.BytesIO()
    with wave.open(file, "wb") as output:
        output.setnchannels(1)
        output.setsampwidth(2)
        output.setframerate(SAMPLE_RATE)
        while left:
            for recording in spoken:
                pcm = recording.pcm[:left]
                output.writeframes(pcm)
                left -= len(pcm)
    return file.getvalue()


if __name__ == "__main__":
    main()
