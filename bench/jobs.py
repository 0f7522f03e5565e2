"""Long recordings beside a voice: what they cost it, and what the queue costs them.

First a satellite speaks every few seconds, now beside hours of queued audio, now alone; fails where
the jobs make its transcripts later than MOST times as late. Then workers, from one on, empty a
queue; and a model that takes no time shows what the queue itself takes for a job.
"""

import asyncio
import contextlib
import io
import json
import socket
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
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


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--spoken", type=int, default=48, help="utterances each (%(default)s)")
    arguments = parser.parse_args()
    spoken = recordings(arguments.recordings, 12, shortest=True)
    texts = recordings(arguments.recordings, 40)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        hour = _wav(texts, 3_600.0)
        minutes = _wav(texts, QUEUE_JOB_S)
        tiny = _wav(texts, 1.0)
        with _server(arguments.model_dir, folder / "voice") as (server, url):
            latencies, done_s = asyncio.run(_beside(server, url, hour, spoken, arguments.spoken))
        _print_latencies(latencies, done_s)
        rows = [_throughput(arguments.model_dir, folder, number, minutes) for number in WORKERS]
        print_table(("workers", "audio, s", "took, s", "times real time"), rows)
        print(f"Queue alone: {_overhead(folder, tiny) * 1000:.1f} ms a job of 1 s, model `fake`.")
    ratio = percentile(latencies["beside jobs"], 95) / percentile(latencies["alone"], 95)
    if ratio > MOST:
        raise SystemExit(f"beside jobs p95 is {ratio:.2f} times what it is alone, over {MOST}")


def _print_latencies(latencies: dict[str, list[float]], done_s: float) -> None:
    print(
        f"A satellite every {EVERY_S:g} s beside {QUEUED} queued hours, of which {done_s:.0f} s "
        "were done meanwhile. From the last audio to the transcript, in ms.\n"
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
) -> tuple[dict[str, list[float]], float]:
    latencies: dict[str, list[float]] = {"alone": [], "beside jobs": []}
    done_s = 0.0
    async with httpx.AsyncClient(base_url=url, timeout=120) as client:
        for _ in range(ROUNDS):
            latencies["alone"] += await _speak(server, spoken, number // ROUNDS)
            jobs = [await _submit(client, hour) for _ in range(QUEUED)]
            latencies["beside jobs"] += await _speak(server, spoken, number // ROUNDS)
            for job in jobs:
                done_s += (await client.get(f"/v1/jobs/{job}")).json()["done"]
                await client.post(f"/v1/jobs/{job}/cancel")
    return latencies, done_s


async def _speak(server: Running, spoken: Sequence[Recording], number: int) -> list[float]:
    latencies = []
    for index in range(number):
        began = time.perf_counter()
        latencies.append((await speak(server.port, spoken[index % len(spoken)].pcm)).latency_s)
        await asyncio.sleep(max(0.0, began + EVERY_S - time.perf_counter()))
    return latencies


def _throughput(model: Path, folder: Path, workers: int, recording: bytes) -> tuple[object, ...]:
    """Let so many processes empty a queue; count from the first start to the last end."""
    data = folder / f"workers-{workers}"
    took_s = _empty(["--model-dir", str(model)], data, workers, recording, QUEUE_JOBS)
    audio_s = QUEUE_JOBS * QUEUE_JOB_S
    return workers, f"{audio_s:.0f}", f"{took_s:.1f}", f"{audio_s / took_s:.1f}"


def _overhead(folder: Path, recording: bytes) -> float:
    """Return the seconds a job, with a model that takes none."""
    return _empty(["--model", "fake"], folder / "tiny", 1, recording, TINY_JOBS) / TINY_JOBS


def _empty(model: list[str], data: Path, workers: int, recording: bytes, number: int) -> float:
    """Return the seconds from the first start to the last end."""
    with _serving([*model, "--set", "jobs.workers=0"], data) as (_, url):
        return asyncio.run(_emptied(url, _workers(model, data, workers), recording, number))


async def _emptied(
    url: str, workers: AbstractAsyncContextManager[None], recording: bytes, number: int
) -> float:
    async with httpx.AsyncClient(base_url=url, timeout=120) as client:
        jobs = [await _submit(client, recording) for _ in range(number)]
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
        await asyncio.sleep(0.1)


@contextlib.contextmanager
def _server(model_dir: Path, data: Path) -> Iterator[tuple[Running, str]]:
    with _serving(["--model-dir", str(model_dir)], data) as server:
        yield server


@contextlib.contextmanager
def _serving(arguments: list[str], data: Path) -> Iterator[tuple[Running, str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
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
