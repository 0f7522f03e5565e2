"""Both backends of the queue, for tests that hold for each."""

import asyncio
import contextlib
import io
import itertools
import wave
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.engines import engine_on
from tests.support.redis_server import PROGRAM, redis_server
from tests.support.sound import sound
from wyoming_stt.audio.gate import VadOptions
from wyoming_stt.engine import UtteranceOptions
from wyoming_stt.jobs.attempt import Tools
from wyoming_stt.jobs.backends import open_backend, open_spool
from wyoming_stt.jobs.callback import CallbackGuard
from wyoming_stt.jobs.desk import JobDesk
from wyoming_stt.jobs.job import File, Hold, Job, JobWishes
from wyoming_stt.jobs.options import JobsOptions
from wyoming_stt.jobs.running import running_jobs
from wyoming_stt.jobs.spool import Spool
from wyoming_stt.jobs.store import JobFeed, JobStore, Order
from wyoming_stt.models.base import Recognizer
from wyoming_stt.models.families.fake import FakeRecognizer
from wyoming_stt.observability.observer import Nobody

__all__ = [
    "DEFAULTS",
    "HOLD",
    "NOW",
    "Backend",
    "backend_of",
    "new_job",
    "pieces_of",
    "submitted",
    "until_ended",
    "wav",
]

DEFAULTS = UtteranceOptions(vad=VadOptions(kind="energy"))
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOLD = Hold("worker", "token")
FAST = JobsOptions(beat_s=0.05, lease_s=0.4, retry_s=0.05, min_free_bytes=0)
_numbers = itertools.count()


@dataclass(frozen=True)
class Backend:
    """A queue that is empty."""

    options: JobsOptions
    data: Path

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[tuple[JobStore, JobFeed]]:
        store, feed = open_backend(self.options, self.data)
        try:
            yield store, feed
        finally:
            await feed.aclose()
            await store.aclose()

    def spool(self) -> Spool:
        return open_spool(self.options, self.data)

    def changed(self, **options: object) -> "Backend":
        return Backend(replace(self.options, **options), self.data)

    @contextlib.asynccontextmanager
    async def desk(self) -> AsyncIterator[JobDesk]:
        """Where nobody works."""
        async with self.opened() as (store, feed):
            guard = CallbackGuard(self.options.callback_hosts)
            yield JobDesk(store, self.spool(), feed, guard, self.options)

    @contextlib.asynccontextmanager
    async def running(
        self, load: Callable[[], Recognizer] = FakeRecognizer
    ) -> AsyncIterator[JobDesk]:
        """Where somebody works."""
        async with (
            engine_on(load) as engine,
            running_jobs(
                self.options, self.data, engine, defaults=DEFAULTS, observer=Nobody()
            ) as desk,
        ):
            yield desk

    @contextlib.asynccontextmanager
    async def tools(
        self, store: JobStore, load: Callable[[], Recognizer] = FakeRecognizer
    ) -> AsyncIterator[Tools]:
        async with engine_on(load) as engine:
            yield Tools(engine, store, self.spool(), self.options, DEFAULTS, Nobody())


@contextlib.contextmanager
def backend_of(kind: str, folder: Path) -> Iterator[Backend]:
    """A backend of either kind; skips the test where it cannot be had."""
    if kind == "sqlite":
        yield Backend(FAST, folder / "data")
        return
    if PROGRAM is None:
        pytest.skip("no redis-server here (apt-get install redis-server)")
    with redis_server(folder) as server:
        yield Backend(replace(FAST, backend=server.url), folder / "data")


def new_job(key: str | None = None, num_bytes: int = 10, **fields: object) -> Job:
    job_id = f"job-{next(_numbers)}"
    audio = File(job_id, num_bytes, "abc")
    return Job(job_id, NOW, JobWishes(), audio, "abc", key=key, **fields)


async def pieces_of(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def wav(pcm: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(16_000)
        recording.writeframes(pcm)
    return file.getvalue()


async def submitted(desk: JobDesk, duration_s: float = 0.96, **order: object) -> Job:
    wishes = JobWishes("en")
    recording = wav(sound((True, duration_s)))
    return await desk.submit(pieces_of(recording), lambda: Order(wishes, **order))


async def until_ended(desk: JobDesk, job_id: str) -> Job:
    async with asyncio.timeout(60):
        async for job in desk.watch(job_id):
            last = job
    assert last.state.is_final
    return last
