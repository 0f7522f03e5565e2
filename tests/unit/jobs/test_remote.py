"""A store of objects on another machine: it fails in its own ways."""

import io
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import s3_server
from tests.support.job_queues import Backend, pieces_of, submitted
from tests.support.s3_server import s3_bucket
from wyoming_stt.errors import JobsUnavailableError
from wyoming_stt.jobs.backends import open_spool
from wyoming_stt.jobs.job import JobState
from wyoming_stt.jobs.options import JobsOptions
from wyoming_stt.jobs.remote import PART_BYTES
from wyoming_stt.jobs.worker import JobWorker

pytestmark = pytest.mark.skipif(
    s3_server.MISSING, reason="no S3 server here (pip install s3fs 'moto[server]')"
)
MIB = 1 << 20


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing but s3fs try again."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


@pytest.mark.slow
async def test_what_fails_in_the_store_is_told_in_our_words(tmp_path: Path) -> None:
    with s3_bucket("recordings") as folder:
        spool = open_spool(JobsOptions(folder=folder), tmp_path)
        await spool.receive("one", pieces_of(*[bytes(MIB)] * 60))
        opened = spool.open("one")
        opened.read(10)
        with pytest.raises(FileNotFoundError):
            spool.open("another")
    # It was stopped.
    with opened:
        opened.seek(59 * MIB)
        with pytest.raises(JobsUnavailableError, match="cannot be used"):
            opened.read(10)
    with pytest.raises(JobsUnavailableError, match="Could not connect"):
        spool.open("one")
    for call in (
        spool.receive("two", pieces_of(bytes(MIB))),
        spool.write("two", b"words"),
        spool.read("one"),
        spool.remove("one"),
        spool.entries(),
    ):
        with pytest.raises(JobsUnavailableError, match=r"cannot be used: ."):
            await call


@pytest.mark.slow
async def test_a_job_outlasts_its_store(tmp_path: Path) -> None:
    with s3_bucket("recordings") as folder:
        backend = Backend(JobsOptions(folder=folder, min_free_bytes=0), tmp_path / "data")
        async with backend.desk() as desk:
            job = await submitted(desk)
    async with backend.opened() as (store, _), backend.tools(store) as tools:
        with pytest.raises(JobsUnavailableError):
            await JobWorker("one", tools).work(job.id)
        job = await store.get(job.id)
    assert (job.state, job.setbacks) == (JobState.QUEUED, 0)


@pytest.mark.slow
async def test_recordings_are_not_kept_in_memory(tmp_path: Path) -> None:
    """Neither on their way in nor on their way out, whatever their length."""
    with s3_bucket("recordings") as folder:
        spool = open_spool(JobsOptions(folder=folder), tmp_path)
        await spool.write("first", b"what is loaded once is loaded now")
        with at_most(5 * PART_BYTES):
            await spool.receive("one", pieces_of(*[bytes(MIB)] * 60))
        with at_most(8 * MIB), spool.open("one") as opened:
            while opened.read(4_096):
                opened.seek(MIB // 2, io.SEEK_CUR)  # no less happens, in less time


@contextmanager
def at_most(num_bytes: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < num_bytes
    finally:
        tracemalloc.stop()
