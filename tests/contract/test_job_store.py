"""What every backend of the queue keeps and finds."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.support.job_queues import HOLD, NOW, Backend, backend_of, new_job
from wyoming_stt.errors import JobNotFoundError, QueueFullError
from wyoming_stt.jobs.job import SPENT, File, Hold, Job, JobState, LeaseLostError, Progress
from wyoming_stt.jobs.store import JobStore

MANY = 100


@pytest.fixture(params=["sqlite", "redis"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    with backend_of(request.param, tmp_path) as backend:
        yield backend


@pytest.fixture
async def store(backend: Backend) -> AsyncIterator[JobStore]:
    async with backend.opened() as (store, _):
        yield store


def claimed(job: Job) -> Job:
    return job.claimed(HOLD, NOW)


async def test_a_job_is_kept_as_it_is(backend: Backend, store: JobStore) -> None:
    job = await store.add(new_job(), MANY)
    async with backend.opened() as (another, _):
        assert await another.get(job.id) == job


async def test_there_is_no_job_that_was_not_added(store: JobStore) -> None:
    for call in (
        store.get("nobody"),
        store.update("nobody", claimed),
    ):
        with pytest.raises(JobNotFoundError):
            await call
    await store.remove("nobody")
    assert await store.pieces("nobody") == []


async def test_a_key_stands_for_one_job(store: JobStore) -> None:
    first = await store.add(new_job(key="mine"), MANY)
    assert await store.add(new_job(key="mine"), MANY) == first
    assert await store.find("mine") == first
    assert await store.find("yours") is None
    assert (await store.counts())[JobState.QUEUED] == 1
    await store.remove(first.id)
    assert await store.find("mine") is None
    assert (await store.add(new_job(key="mine"), MANY)).id != first.id


async def test_a_full_queue_takes_no_more(store: JobStore) -> None:
    jobs = [await store.add(new_job(key=str(number)), 2) for number in range(2)]
    with pytest.raises(QueueFullError):
        await store.add(new_job(), 2)
    assert await store.add(new_job(key="1"), 2) == jobs[1], "this one is in it"
    await store.update(jobs[0].id, claimed)
    await store.add(new_job(), 2)


async def test_one_of_many_gets_it(backend: Backend, store: JobStore) -> None:
    job = await store.add(new_job(), MANY)
    async with backend.opened() as (another, _):
        holds = [Hold("worker", str(number)) for number in range(20)]
        outcomes = await asyncio.gather(
            *(
                where.update(job.id, lambda job, hold=hold: job.claimed(hold, NOW))
                for hold, where in zip(holds, itertools.cycle((store, another)), strict=False)
            ),
            return_exceptions=True,
        )
    assert Counter(type(outcome) for outcome in outcomes) == {Job: 1, LeaseLostError: 19}


async def test_it_may_be_claimed_again_by_who_did_not_hear_the_answer(store: JobStore) -> None:
    job = await store.update((await store.add(new_job(), MANY)).id, claimed)
    assert await store.update(job.id, claimed) == job


async def test_a_change_that_raises_changes_nothing(store: JobStore) -> None:
    job = await store.update((await store.add(new_job(), MANY)).id, claimed)
    with pytest.raises(LeaseLostError):
        await store.update(job.id, lambda job: job.beaten("another", 1.0, 0.5), b"[]")
    assert await store.get(job.id) == job
    assert await store.pieces(job.id) == []


async def test_pieces_are_kept_until_the_end(store: JobStore) -> None:
    job = await store.update((await store.add(new_job(), MANY)).id, claimed)
    for settled in (9, 10, 110):
        advance = partial(Job.advanced, token="token", progress=Progress(settled))  # noqa: S106
        await store.update(job.id, advance, str(settled).encode())
        # The answer to the first time may have been lost on its way.
        await store.update(job.id, advance, str(settled).encode())
    assert await store.pieces(job.id) == [b"9", b"10", b"110"]
    result = File("result", 3)
    await store.update(job.id, lambda job: job.completed("token", result, 1.0, NOW))
    assert await store.pieces(job.id) == []


async def test_jobs_are_found_by_their_state(store: JobStore) -> None:
    jobs = [await store.add(new_job(), MANY) for _ in range(5)]
    for job in jobs[:3]:
        await store.update(job.id, lambda job: job.cancelled(NOW))
    await store.update(jobs[3].id, claimed)
    assert [job.id for job in await store.oldest(JobState.QUEUED, 9)] == [jobs[4].id]
    assert [job.id for job in await store.oldest(SPENT, 2)] == [job.id for job in jobs[:2]]
    await store.update(jobs[0].id, Job.without_audio)
    assert [job.id for job in await store.oldest(SPENT, 2)] == [job.id for job in jobs[1:3]]
    assert Counter(await store.counts()) == {
        JobState.QUEUED: 1,
        JobState.PROCESSING: 1,
        JobState.CANCELLED: 3,
        JobState.COMPLETED: 0,
        JobState.FAILED: 0,
    }


async def test_pages_follow_each_other(store: JobStore) -> None:
    jobs = [await store.add(new_job(), MANY) for _ in range(5)]
    await store.update(jobs[2].id, lambda job: job.cancelled(NOW))
    pages = []
    cursor = None
    while not pages or cursor is not None:
        page = await store.newest(None, 2, cursor)
        pages.append([job.id for job in page.jobs])
        cursor = page.cursor
    newest = [job.id for job in reversed(jobs)]
    assert pages == [newest[:2], newest[2:4], newest[4:]]
    queued = await store.newest(JobState.QUEUED, 4)
    assert [job.id for job in queued.jobs] == [id_ for id_ in newest if id_ != jobs[2].id]
    assert queued.cursor is None


async def test_what_they_take_is_known(store: JobStore) -> None:
    jobs = [await store.add(new_job(num_bytes=10), MANY) for _ in range(3)]
    assert await store.num_bytes() == 30
    await store.update(jobs[0].id, lambda job: replace(job.cancelled(NOW), audio=None))
    await store.remove(jobs[1].id)
    assert await store.num_bytes() == 10


async def test_workers_are_counted_while_they_are_there(store: JobStore) -> None:
    await store.greet("one", 60)
    await store.greet("one", 60)
    await store.greet("two", 60)
    assert await store.num_workers() == 2
    await store.greet("one", 0)
    assert await store.num_workers() == 1
