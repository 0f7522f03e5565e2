"""What is no fault of a job does not end it, whichever backend keeps the queue."""

import asyncio
import errno
import io
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import pytest

from tests.support.engines import LONG
from tests.support.job_queues import (
    Backend,
    backend_of,
    pieces_of,
    submitted,
    until_ended,
    wav,
)
from tests.support.sound import sound
from wyoming_stt.decoding.options import Hotword, SearchOptions
from wyoming_stt.errors import JobsUnavailableError
from wyoming_stt.jobs import cluster, polling
from wyoming_stt.jobs.desk import JobDesk
from wyoming_stt.jobs.job import File, Job, JobState, JobWishes
from wyoming_stt.jobs.spool import FolderSpool, Spool
from wyoming_stt.jobs.store import JobStore, Order
from wyoming_stt.jobs.worker import JobWorker
from wyoming_stt.models.families.fake import FakeRecognizer, FakeStream

WORDS = "turn on the"
RECORDING = wav(sound((True, 0.96)))
AWAY = JobsUnavailableError("away")
BROKEN = OSError(errno.EIO, "Input/output error")


@pytest.fixture(params=["sqlite", "redis"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    with backend_of(request.param, tmp_path) as backend:
        yield backend.changed(retry_s=0.001)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for feed in (cluster, polling):
        monkeypatch.setattr(feed, "PAUSE_S", 0.02)


def now() -> datetime:
    return datetime.now(UTC)


async def until(desk: JobDesk, job_id: str, holds: Callable[[Job], bool]) -> Job:
    """Wait until it holds of a job."""
    async with asyncio.timeout(LONG):
        while not holds(job := await desk.get(job_id)):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    return job


@pytest.mark.parametrize("is_there", [False, True], ids=["no folder", "nothing mounted on it"])
async def test_a_folder_that_is_not_mounted_is_waited_for(
    backend: Backend, tmp_path: Path, is_there: bool
) -> None:
    folder, elsewhere = backend.data / "jobs", tmp_path / "elsewhere"
    async with backend.desk() as desk:
        jobs = [await submitted(desk) for _ in range(3)]
    folder.rename(elsewhere)
    if is_there:
        folder.mkdir()
    async with backend.running() as desk:
        # Far more often than a job may fail.
        held = [await until(desk, job.id, lambda job: job.tries > 6) for job in jobs]
        assert {job.setbacks for job in held} == {0}
        if is_there:
            folder.rmdir()
        elsewhere.rename(folder)
        for job in jobs:
            ended = await until_ended(desk, job.id)
            assert (await desk.result(ended)).text == WORDS


async def test_a_recording_that_is_gone_is_not_waited_for(backend: Backend) -> None:
    async with backend.desk() as desk:
        gone, other = [await submitted(desk) for _ in range(2)]
    (backend.data / "jobs" / gone.id).unlink()
    async with backend.running() as desk:
        job = await until_ended(desk, gone.id)
        assert (job.state, job.tries) == (JobState.FAILED, 1)
        assert job.error is not None
        assert "the recording is gone" in job.error.message
        assert (await until_ended(desk, other.id)).state is JobState.COMPLETED


class Faulty:
    """A spool with a fault; for the rest like the one that it is made of."""

    def __init__(self, spool: Spool, *, reads: Exception | None = None, writes: int = 0) -> None:
        self._spool = spool
        self._reads = reads
        self._writes = writes

    def open(self, name: str) -> BinaryIO:
        if self._reads is None:
            return self._spool.open(name)
        with self._spool.open(name) as file:
            return _HalfRead(file.read(), self._reads)

    async def write(self, name: str, data: bytes) -> File:
        self._writes -= 1
        if self._writes >= 0:
            raise JobsUnavailableError("no result can be kept: No space left on device")
        return await self._spool.write(name, data)


class _HalfRead(io.BytesIO):
    def __init__(self, data: bytes, error: Exception) -> None:
        super().__init__(data)
        self._error = error

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() > len(self.getvalue()) // 2:
            raise self._error
        return super().read(size)


@asynccontextmanager
async def worker_on(
    backend: Backend, store: JobStore, **faults: object
) -> AsyncIterator[JobWorker]:
    async with backend.tools(store) as tools:
        yield JobWorker("one", replace(tools, spool=Faulty(backend.spool(), **faults)))


@pytest.mark.parametrize("error", [AWAY, BROKEN])
async def test_what_cannot_be_read_now_is_read_later(backend: Backend, error: Exception) -> None:
    async with backend.opened() as (store, _), backend.desk() as desk:
        job = await submitted(desk, 4.0)
        async with worker_on(backend, store, reads=error) as worker:
            for _ in range(7):
                with pytest.raises(JobsUnavailableError, match=r"away|cannot be read: Input"):
                    await worker.work(job.id)
                await until(desk, job.id, lambda job: job.rest.is_over(now()))
        left = await desk.get(job.id)
        assert (left.state, left.setbacks, left.tries) == (JobState.QUEUED, 0, 7)
        async with worker_on(backend, store) as worker:
            assert await worker.work(job.id) is JobState.COMPLETED


async def test_what_cannot_be_read_is_not_taken(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> BinaryIO:
        raise BROKEN

    monkeypatch.setattr(FolderSpool, "open", broken)
    async with backend.desk() as desk:
        with pytest.raises(JobsUnavailableError, match="cannot be read: Input"):
            await submitted(desk)
        assert await backend.spool().entries() == []


async def test_a_result_waits_until_there_is_room(backend: Backend) -> None:
    async with backend.opened() as (store, _), backend.desk() as desk:
        job = await submitted(desk)
        async with worker_on(backend, store, writes=1) as worker:
            with pytest.raises(JobsUnavailableError, match="No space left"):
                await worker.work(job.id)
            left = await desk.get(job.id)
            assert (left.state, left.setbacks) == (JobState.QUEUED, 0)
            await until(desk, job.id, lambda job: job.rest.is_over(now()))
            assert await worker.work(job.id) is JobState.COMPLETED
        assert (await desk.result(await desk.get(job.id))).text == WORDS


class Picky(FakeRecognizer):
    """Fails on whoever has hotwords."""

    def open(self, options: SearchOptions) -> FakeStream:
        if options.hotwords:
            raise RuntimeError("what a recording")
        return super().open(options)


PICKED = Order(JobWishes(hotwords=(Hotword("light"),)))


async def test_others_are_done_while_one_rests(backend: Backend) -> None:
    async with backend.changed(retry_s=LONG).running(Picky) as desk:
        bad = await desk.submit(pieces_of(RECORDING), lambda: PICKED)
        good = [await submitted(desk) for _ in range(3)]
        ended = [await until_ended(desk, job.id) for job in good]
        assert {job.state for job in ended} == {JobState.COMPLETED}
        left = await until(desk, bad.id, lambda job: job.setbacks > 0)
        assert (left.state, left.tries) == (JobState.QUEUED, 1)


async def test_a_recording_on_which_the_model_fails_is_given_up(backend: Backend) -> None:
    async with backend.changed(max_tries=3).running(Picky) as desk:
        bad = await desk.submit(pieces_of(RECORDING), lambda: PICKED)
        job = await until_ended(desk, bad.id)
    assert (job.state, job.tries) == (JobState.FAILED, 3)
    assert job.error is not None
    assert (job.error.code, "tried 3 times" in job.error.message) == ("inference-failed", True)
