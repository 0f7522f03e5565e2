"""What has ended is kept for a while, whatever the clock does."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.job_queues import HOLD, NOW, Backend, backend_of, new_job, pieces_of
from wyoming_stt.errors import JobsUnavailableError
from wyoming_stt.jobs import retention
from wyoming_stt.jobs.job import File, Job
from wyoming_stt.jobs.spool import Entry, FolderSpool

WEEK = timedelta(seconds=604_800)


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    with backend_of("sqlite", tmp_path) as backend:
        return backend


def completed(job: Job) -> Job:
    return job.claimed(HOLD, NOW).completed("token", File(f"{job.id}.json", 2), 1.0, NOW)


@pytest.mark.parametrize(
    ("later", "is_kept"),
    [
        (timedelta(0), True),
        (WEEK, True),
        (WEEK + timedelta(seconds=1), False),
        (timedelta(days=-20_000), True),
        (timedelta(days=20_000), False),
    ],
)
async def test_a_result_is_kept_for_a_week_of_the_clock(
    backend: Backend, later: timedelta, is_kept: bool
) -> None:
    spool = backend.spool()
    async with backend.opened() as (store, _):
        job = await store.add(completed(new_job()), 10)
        waiting = await store.add(new_job(), 10)
        await spool.write(job.finished_result().name, b"{}")
        await retention.forget_old(store, spool, backend.options, NOW + later)
        page = await store.newest(None, 10)
        assert [job.id for job in page.jobs] == [waiting.id, job.id][: 1 + is_kept]
        assert len(await spool.entries()) == is_kept


async def test_many_are_forgotten_at_once(backend: Backend) -> None:
    async with backend.opened() as (store, _):
        for _ in range(retention.BATCH + 20):
            await store.add(completed(new_job()), 10)
        late = NOW + WEEK + timedelta(hours=1)
        await retention.forget_old(store, backend.spool(), backend.options, late)
        assert (await store.newest(None, 10)).jobs == ()


async def test_the_recording_goes_with_the_end_of_its_job(backend: Backend) -> None:
    spool = backend.spool()
    async with backend.opened() as (store, _):
        for job in (new_job(), new_job().cancelled(NOW), completed(new_job())):
            await spool.receive(job.id, pieces_of(b"audio"))
            await store.add(job, 10)
        await retention.remove_spent(store, spool)
        assert len(await spool.entries()) == 1, "that of the job that waits"


class Sticky(FolderSpool):
    """Some files cannot be removed, as those of another user."""

    async def remove(self, name: str) -> None:
        if name.startswith("stuck"):
            raise JobsUnavailableError(f"{name} cannot be removed: Permission denied")
        await super().remove(name)

    async def entries(self) -> list[Entry]:
        return [replace(entry, age_s=100_000.0) for entry in await super().entries()]


async def test_what_cannot_be_removed_is_in_nobodys_way(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    plain = backend.spool()
    spool = Sticky(plain._folder, plain._limits)
    async with backend.opened() as (store, _):
        for number in range(9):
            job = new_job()
            name = f"stuck-{job.id}" if number < 4 else job.id
            job = replace(completed(job), audio=File(name, 10), result=None)
            await store.add(job, 10)
            for file in (name, f"{name}-of-nobody"):
                await spool.write(file, b"audio")
        late = NOW + WEEK + timedelta(hours=1)
        for step in (
            retention.remove_spent(store, spool),
            retention.remove_orphans(store, spool),
            retention.forget_old(store, spool, backend.options, late),
        ):
            with pytest.raises(JobsUnavailableError, match=r"\d cannot be removed.*Permission"):
                await step
        left = (await store.newest(None, 10)).jobs
        assert [job.audio.name.partition("-")[0] for job in left] == ["stuck"] * 4
        names = [entry.name for entry in await spool.entries()]
        assert len(names) == 8
        assert all(name.startswith("stuck") for name in names)


async def test_what_belongs_to_no_job_is_removed_when_it_is_old(backend: Backend) -> None:
    class Aged(FolderSpool):
        async def entries(self) -> list[Entry]:
            ages = {"young": 10.0}
            return [
                replace(entry, age_s=ages.get(entry.name, 100_000.0))
                for entry in await super().entries()
            ]

    spool = backend.spool()
    aged = Aged(spool._folder, spool._limits)
    async with backend.opened() as (store, _):
        job = await store.add(new_job(), 10)
        for name in (job.id, f"{job.id}.dead.json", "nobody", "young"):
            await spool.write(name, b"")
        await retention.remove_orphans(store, aged)
        assert sorted(entry.name for entry in await spool.entries()) == [job.id, "young"]
