"""What clients may rely on, whichever backend keeps the queue."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engines import LONG
from tests.support.job_queues import (
    HOLD,
    NOW,
    Backend,
    backend_of,
    new_job,
    pieces_of,
    submitted,
    until_ended,
    wav,
)
from tests.support.sound import sound
from tests.support.uploads import Held, hold
from wyoming_stt.errors import (
    AudioFormatError,
    BadRequestError,
    JobFinishedError,
    JobNotFoundError,
    JobUnfinishedError,
    NoRoomError,
    QueueFullError,
)
from wyoming_stt.jobs import desk as desk_module
from wyoming_stt.jobs.desk import JobDesk
from wyoming_stt.jobs.job import File, Hold, Job, JobState, JobWishes
from wyoming_stt.jobs.store import Order
from wyoming_stt.jobs.worker import JobWorker

WORDS = "turn on the"
LONG_RECORDING = wav(sound(*[(True, 21.0), (False, 1.2)] * 3))
"""Is cut twice."""


@pytest.fixture(params=["sqlite", "redis"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    with backend_of(request.param, tmp_path) as backend:
        yield backend


async def test_a_recording_in_its_words_out(backend: Backend) -> None:
    async with backend.running() as desk:
        job = await submitted(desk)
        assert job.state is JobState.QUEUED
        job = await until_ended(desk, job.id)
        transcript = await desk.result(job)
    assert job.state is JobState.COMPLETED
    assert transcript.text == WORDS
    assert (transcript.model, transcript.language) == ("fake", "en")
    assert transcript.duration_s == pytest.approx(0.96)
    assert job.progress.share == 1
    assert job.tries == 1
    assert job.started_at is not None
    assert job.completed_at is not None
    assert job.processing_s > 0


async def test_what_was_handed_in_is_done_later(backend: Backend) -> None:
    async with backend.desk() as desk:
        jobs = [await submitted(desk) for _ in range(5)]
        assert (await desk.stats()).workers == 0
    async with backend.running() as desk:
        ended = await asyncio.gather(*(until_ended(desk, job.id) for job in jobs))
        assert {job.state for job in ended} == {JobState.COMPLETED}
        assert (await desk.stats()).counts[JobState.COMPLETED] == 5


async def test_a_job_goes_on_where_its_worker_died(backend: Backend) -> None:
    async with backend.opened() as (store, _), backend.desk() as desk:
        order = Order(JobWishes("en"))
        jobs = [await desk.submit(pieces_of(LONG_RECORDING), lambda: order) for _ in range(2)]
        whole, broken = jobs
        async with backend.tools(store) as tools:
            await JobWorker("one", tools).work(whole.id)
            expected = await desk.result(await desk.get(whole.id))
            told = []
            update = store.update

            async def dying(job_id: str, change: object, piece: bytes | None = None) -> Job:
                job = await update(job_id, change, piece)
                if piece is not None:
                    told.append(job)
                    raise KeyError(job_id)  # which nobody expects: it does not say goodbye
                return job

            store.update = dying
            worker = asyncio.create_task(JobWorker("two", tools).work(broken.id))
            await asyncio.wait([worker])
            store.update = update
        assert told, "there was no checkpoint"
        assert worker.exception() is not None
        # The next one only gets what comes after.
        async with backend.running() as running:
            job = await until_ended(running, broken.id)
            assert job.tries == 2
            assert await running.result(job) == expected
    assert expected.duration_s == pytest.approx(66.6, abs=0.1)


async def test_a_worker_that_gives_no_sign_is_replaced(backend: Backend) -> None:
    async with backend.opened() as (store, _), backend.desk() as desk:
        job = await submitted(desk)
        await store.update(job.id, lambda job: job.claimed(HOLD, NOW))
        async with backend.running() as running:
            job = await until_ended(running, job.id)
            assert (await running.result(job)).text == WORDS
    assert (job.state, job.tries) == (JobState.COMPLETED, 2)


async def test_who_was_replaced_is_told_so(backend: Backend) -> None:
    model = Held()
    model.may_go_on.set()  # while it is warmed up
    async with backend.opened() as (store, _), backend.desk() as desk:
        job = await submitted(desk)
        async with backend.tools(store, lambda: model) as tools:
            model.may_go_on.clear()
            late = asyncio.create_task(JobWorker("late", tools).work(job.id))
            await hold(model)
            held = await store.get(job.id)
            assert held.hold is not None
            await store.update(job.id, lambda job: job.released(job.hold.token))
            async with backend.running() as running:
                ended = await until_ended(running, job.id)
                model.may_go_on.set()
                assert await late is None
                assert await running.get(job.id) == ended


async def test_a_poisoned_job_is_given_up(backend: Backend) -> None:
    backend = backend.changed(max_tries=3)
    async with backend.opened() as (store, _), backend.desk() as desk:
        job = await submitted(desk)
        for number in range(3):
            hold = Hold("worker", str(number))
            held = await store.update(job.id, lambda job, hold=hold: job.claimed(hold, NOW))
            async with backend.changed(workers=0).running() as watching:
                async for job in watching.watch(held.id):
                    if job.state is not JobState.PROCESSING:
                        break
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert job.error.code == "worker-died"
    assert "tried 3 times" in job.error.message


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.PROCESSING])
async def test_a_job_can_be_cancelled(backend: Backend, state: JobState) -> None:
    async with backend.opened() as (store, _), backend.desk() as desk:
        job = await submitted(desk)
        if state is JobState.PROCESSING:
            await store.update(job.id, lambda job: job.claimed(HOLD, NOW))
        assert (await desk.cancel(job.id)).state is JobState.CANCELLED
        with pytest.raises(JobFinishedError):
            await desk.cancel(job.id)
        with pytest.raises(JobUnfinishedError):
            await desk.result(await desk.get(job.id))
        async with backend.tools(store) as tools:
            assert await JobWorker("one", tools).work(job.id) is None


async def test_a_job_in_hand_can_be_removed(backend: Backend) -> None:
    model = Held()
    model.may_go_on.set()  # while it is warmed up
    async with backend.running(lambda: model) as desk:
        model.may_go_on.clear()
        job = await submitted(desk)
        await hold(model)
        cancelled, is_removed = await desk.discard(job.id)
        assert (cancelled.state, is_removed) == (JobState.CANCELLED, False)
        assert await desk.discard(job.id) == (cancelled, True)
        model.may_go_on.set()
        # The worker is free for the next one.
        assert (await until_ended(desk, (await submitted(desk)).id)).state is JobState.COMPLETED
        with pytest.raises(JobNotFoundError):
            await desk.get(job.id)
        names = {entry.name for entry in await backend.spool().entries()}
        assert not any(name.startswith(job.id) for name in names)


async def test_the_audio_goes_when_the_job_has_ended(backend: Backend) -> None:
    async with backend.running() as desk:
        job = await until_ended(desk, (await submitted(desk)).id)
        await audio_gone(desk, job)
        names = [entry.name for entry in await backend.spool().entries()]
        assert names == [job.finished_result().name]
        _, is_removed = await desk.discard(job.id)
        assert is_removed
        assert await backend.spool().entries() == []


async def test_the_same_key_is_the_same_job(backend: Backend) -> None:
    async with backend.desk() as desk:
        job = await submitted(desk, key="mine")
        assert (await submitted(desk, key="mine")).id == job.id
        assert len(await backend.spool().entries()) == 1
        with pytest.raises(BadRequestError, match="Idempotency-Key"):
            await submitted(desk, 2.0, key="mine")
        assert len(await backend.spool().entries()) == 1


async def test_what_is_no_audio_is_refused(backend: Backend) -> None:
    async with backend.desk() as desk:
        for body in (b"", b'{"audio": true}', b"RIFF"):
            with pytest.raises(AudioFormatError):
                await desk.submit(pieces_of(body), lambda: Order(JobWishes()))
        assert await backend.spool().entries() == []
        assert not (await desk.page(None, 10, None)).jobs


async def test_an_upload_that_breaks_off_leaves_nothing(backend: Backend) -> None:
    async def broken():
        yield LONG_RECORDING[:100_000]
        raise ConnectionResetError

    async with backend.desk() as desk:
        with pytest.raises(ConnectionResetError):
            await desk.submit(broken(), lambda: Order(JobWishes()))
        assert await backend.spool().entries() == []


async def test_the_oldest_results_make_room(backend: Backend) -> None:
    async with backend.running() as desk:
        ended = [await until_ended(desk, (await submitted(desk)).id) for _ in range(2)]
        await audio_gone(desk, *ended)
    one_of_them = ended[1].finished_result().num_bytes
    room = len(wav(sound((True, 0.96)))) + one_of_them
    async with backend.changed(max_bytes=room).desk() as desk:
        await submitted(desk)
        with pytest.raises(JobNotFoundError):
            await desk.get(ended[0].id)
        await desk.get(ended[1].id)
        with pytest.raises(NoRoomError):
            await submitted(desk)
        await desk.get(ended[1].id)  # it would have gone for nothing
        assert len(await backend.spool().entries()) == 2


async def test_no_result_goes_for_what_is_not_taken(backend: Backend) -> None:
    async with backend.running() as desk:
        ended = await until_ended(desk, (await submitted(desk)).id)
        await audio_gone(desk, ended)
    room = len(wav(sound((True, 0.96)))) + ended.finished_result().num_bytes
    async with backend.changed(max_bytes=room, max_queued=1).desk() as desk:
        job = await submitted(desk, key="mine")
        assert await submitted(desk, key="mine") == job
        with pytest.raises(QueueFullError):
            await submitted(desk, 0.2)
        assert (await desk.result(await desk.get(ended.id))).text == WORDS
        assert len(await backend.spool().entries()) == 2


async def test_many_small_results_make_room(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "FIRST_LOOK", 1)
    async with backend.opened() as (store, _):
        result = File("result", 1_000)
        for _ in range(8):
            job = new_job(num_bytes=0).claimed(HOLD, NOW)
            await store.add(job.completed(HOLD.token, result, 1.0, NOW), 10)
        recording = len(wav(sound((True, 0.16))))  # needs six of them to go
        async with backend.changed(max_bytes=recording + 2_900).desk() as desk:
            await submitted(desk, 0.16)
        assert (await store.counts())[JobState.COMPLETED] == 2


async def audio_gone(desk: JobDesk, *jobs: Job) -> None:
    """Wait until only the results are left."""
    async with asyncio.timeout(LONG):
        for job in jobs:
            while (await desk.get(job.id)).audio is not None:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.02)
