"""Answers that are lost between a worker and the store, whichever backend keeps the queue."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engines import LONG, eventually
from tests.support.job_queues import (
    Backend,
    backend_of,
    pieces_of,
    submitted,
    until_ended,
    wav,
)
from tests.support.sound import sound
from tests.support.uploads import Held, hold
from wyoming_stt.errors import JobsUnavailableError
from wyoming_stt.jobs.job import Job, JobState, JobWishes
from wyoming_stt.jobs.store import Change, JobStore, Order
from wyoming_stt.jobs.worker import JobWorker

WORDS = "turn on the"
AWAY = JobsUnavailableError("away")


@pytest.fixture(params=["sqlite", "redis"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    with backend_of(request.param, tmp_path) as backend:
        yield backend


@pytest.mark.parametrize("leaves", [False, True])
async def test_a_recording_is_kept_for_a_job_of_which_nobody_was_told(
    backend: Backend, leaves: bool
) -> None:
    async with backend.desk() as desk:
        add, added = desk._store.add, asyncio.Event()

        async def deaf(job: Job, max_queued: int) -> Job:
            await add(job, max_queued)
            added.set()
            if leaves:
                await asyncio.Event().wait()
            raise AWAY

        desk._store.add = deaf
        first = asyncio.create_task(submitted(desk, key="mine"))
        await added.wait()
        if leaves:
            first.cancel()
        await asyncio.wait([first])
        desk._store.add = add
        job = await submitted(desk, key="mine")
        assert [entry.name for entry in await backend.spool().entries()] == [job.id]
    async with backend.running() as desk:
        assert (await until_ended(desk, job.id)).state is JobState.COMPLETED


class Deaf:
    """A store whose answers are lost, those to the changes with these numbers; all are made."""

    def __init__(self, store: JobStore, *lost: int, hangs: bool = False) -> None:
        self._update = store.update
        self._lost = set(lost)
        self._hangs = hangs
        self.changes = 0
        store.update = self.update

    async def update(self, job_id: str, change: Change, piece: bytes | None = None) -> Job:
        number, self.changes = self.changes, self.changes + 1
        job = await self._update(job_id, change, piece)
        if number in self._lost:
            if self._hangs:
                await asyncio.Event().wait()
            raise AWAY
        return job


async def test_a_claim_is_kept_although_its_answer_was_lost(backend: Backend) -> None:
    async with backend.opened() as (store, _), backend.desk() as desk:
        job = await submitted(desk)
        Deaf(store, 0)
        async with backend.tools(store) as tools:
            assert await JobWorker("one", tools).work(job.id) is JobState.COMPLETED
        assert (await desk.get(job.id)).tries == 1


async def test_a_claim_is_given_back_by_who_is_cancelled_in_it(backend: Backend) -> None:
    async with backend.opened() as (store, _), backend.desk() as desk:
        job = await submitted(desk)
        deaf = Deaf(store, 0, hangs=True)
        async with backend.tools(store) as tools:
            worker = asyncio.create_task(JobWorker("one", tools).work(job.id))
            await eventually(lambda: deaf.changes)
            while (await desk.get(job.id)).state is JobState.QUEUED:
                pass
            worker.cancel()
            await asyncio.wait([worker])
            assert worker.cancelled()
        assert (await desk.get(job.id)).state is JobState.QUEUED


async def test_a_result_is_kept_although_the_answer_was_lost(backend: Backend) -> None:
    async with backend.opened() as (store, _), backend.desk() as desk:
        job = await submitted(desk)
        async with backend.changed(beat_s=0.02, lease_s=LONG).tools(store) as tools:
            deaf = Deaf(store, *range(1, 4))
            await JobWorker("one", tools).work(job.id)
        assert deaf.changes > 1
        ended = await desk.get(job.id)
        assert (await desk.result(ended)).text == WORDS


async def test_a_piece_is_kept_however_long_the_store_is_away(backend: Backend) -> None:
    async with backend.opened() as (store, _), backend.desk() as desk:
        long = wav(sound((True, 21.0), (False, 1.2), (True, 2.0)))  # is cut once
        job = await desk.submit(pieces_of(long), lambda: Order(JobWishes()))
        update, pieces = store.update, []

        async def away(job_id: str, change: Change, piece: bytes | None = None) -> Job:
            if piece is not None:
                pieces.append(piece)
                if len(pieces) < 4:
                    raise AWAY
            return await update(job_id, change, piece)

        store.update = away
        async with backend.tools(store) as tools:
            assert await JobWorker("one", tools).work(job.id) is JobState.COMPLETED
        assert len(pieces) == 4
        assert len(set(pieces)) == 1
        assert (await desk.get(job.id)).tries == 1


async def test_who_waits_for_the_store_can_be_cancelled(backend: Backend) -> None:
    model = Held()
    model.may_go_on.set()  # while it is warmed up
    async with backend.opened() as (store, _), backend.desk() as desk:
        job = await submitted(desk)
        async with backend.tools(store, lambda: model) as tools:
            model.may_go_on.clear()
            worker = asyncio.create_task(JobWorker("one", tools).work(job.id))
            await hold(model)
            calls = Away(store)
            model.may_go_on.set()
            await eventually(lambda: calls.number > 5)
            assert not worker.done(), "it has a result to hand over"
            worker.cancel()
            await asyncio.wait([worker], timeout=LONG)
            assert worker.cancelled()


class Away:
    """Lets a store go away for good."""

    def __init__(self, store: JobStore) -> None:
        self.number = 0
        store.get = store.update = self.call

    async def call(self, *_: object) -> Job:
        self.number += 1
        raise AWAY
