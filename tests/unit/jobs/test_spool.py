"""Files wait and stay, in a folder and in a store that fsspec knows."""

import asyncio
import contextlib
import errno
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import fsspec
import pytest

from tests.support import s3_server
from tests.support.job_queues import Backend, pieces_of, submitted, until_ended
from wyoming_stt.errors import JobsUnavailableError, LimitError, SttError
from wyoming_stt.jobs.backends import open_spool
from wyoming_stt.jobs.job import File, JobState
from wyoming_stt.jobs.options import JobsOptions
from wyoming_stt.jobs.spool import FolderSpool, Spool, SpoolLimits

BYTES = bytes(range(256)) * 40


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    if s3_server.MISSING:
        pytest.skip("no S3 server here (pip install s3fs 'moto[server]')")
    with s3_server.s3_bucket("recordings") as bucket:
        yield bucket


@pytest.fixture(params=["folder", "fsspec", "s3"])
def options(request: pytest.FixtureRequest, tmp_path: Path) -> JobsOptions:
    folder = str(tmp_path / "spool")
    if request.param == "fsspec":
        folder = f"file://{tmp_path}/store"
    if request.param == "s3":
        folder = f"{request.getfixturevalue('bucket')}/{tmp_path.name}"
    return JobsOptions(
        folder=folder, max_upload_bytes=len(BYTES) + 20_000, min_free_bytes=0, beat_s=0.05
    )


@pytest.fixture
def spool(options: JobsOptions, tmp_path: Path) -> Spool:
    return open_spool(options, tmp_path)


async def names(spool: Spool) -> list[str]:
    return sorted(entry.name for entry in await spool.entries())


async def test_a_recording_is_there_when_it_is_whole(spool: Spool) -> None:
    assert await names(spool) == []
    file = await spool.receive("one", pieces_of(BYTES[:1_000], BYTES[1_000:]))
    assert file == File("one", len(BYTES), hashlib.sha256(BYTES).hexdigest())
    assert await names(spool) == ["one"]
    with spool.open("one") as opened:
        assert opened.read(10) == BYTES[:10]
        opened.seek(-10, 2)
        assert opened.read() == BYTES[-10:]
    await spool.remove("one")
    await spool.remove("one")
    assert await names(spool) == []
    with pytest.raises(OSError, match="one"):
        spool.open("one")


async def test_nothing_is_left_of_what_broke_off(spool: Spool) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield BYTES
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await spool.receive("one", broken())
    with pytest.raises(LimitError, match=r"jobs\.max_upload_bytes"):
        await spool.receive("one", pieces_of(*[BYTES] * 5))
    arriving = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield BYTES
        arriving.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(spool.receive("one", slow()))
    await arriving.wait()
    task.cancel()
    await asyncio.wait([task])
    assert await names(spool) == []


async def test_results_are_read_as_they_were_written(spool: Spool) -> None:
    file = await spool.write("result", BYTES)
    assert await spool.read("result") == BYTES
    assert file.num_bytes == len(BYTES)
    assert (await spool.entries())[0].age_s == pytest.approx(0, abs=60)


@pytest.mark.parametrize("is_broken", [False, True])
async def test_a_file_is_there_for_good_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_broken: bool
) -> None:
    """A power cut after the answer takes nothing away: the name, too, is on the disk by then."""
    folder, sync = tmp_path / "spool", os.fsync
    synced = set()

    def noted(handle: int) -> None:
        if Path(f"/proc/self/fd/{handle}").resolve() == folder:
            if is_broken:
                raise OSError(errno.EIO, "Input/output error")
            synced.update(file.name for file in folder.iterdir())
        sync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    spool = FolderSpool(folder, SpoolLimits(1_000, 0))
    steps = (lambda: spool.receive("one", pieces_of(b"one")), lambda: spool.write("two", b"two"))
    for step in steps:
        with pytest.raises(SttError, match="kept") if is_broken else contextlib.nullcontext():
            await step()
    there = set() if is_broken else {"one", "two"}
    assert {entry.name for entry in await spool.entries()} == there
    assert there <= synced


async def test_a_folder_without_its_mark_may_come_back(tmp_path: Path) -> None:
    spool = FolderSpool(tmp_path / "spool", SpoolLimits(1_000, 0))
    await spool.receive("one", pieces_of(b"one"))
    with pytest.raises(FileNotFoundError):
        spool.open("two")
    (tmp_path / "spool").rename(tmp_path / "elsewhere")
    for _ in range(2):
        with pytest.raises(JobsUnavailableError, match="is not there"):
            spool.open("one")
        (tmp_path / "spool").mkdir(exist_ok=True)


def a_machine_of_its_own(options: JobsOptions, data: Path) -> Spool:
    """What fsspec remembers for all of a process is forgotten."""
    for kind in ("file", "s3"):
        with contextlib.suppress(ImportError):
            fsspec.get_filesystem_class(kind).clear_instance_cache()
    return open_spool(options, data)


async def test_others_see_what_came_meanwhile(options: JobsOptions, tmp_path: Path) -> None:
    """Two machines that share a store: neither believes what it has seen before."""
    one, other = (a_machine_of_its_own(options, tmp_path) for _ in range(2))
    assert await names(one) == await names(other) == []
    await one.write("result", BYTES)
    assert await names(other) == ["result"]
    assert await other.read("result") == BYTES
    await one.remove("result")
    await one.write("next", b"")
    assert await names(other) == ["next"]
    await other.remove("next")
    assert await names(one) == []


async def test_jobs_are_done_from_there(options: JobsOptions, tmp_path: Path) -> None:
    async with Backend(options, tmp_path / "data").running() as desk:
        job = await until_ended(desk, (await submitted(desk, 0.64)).id)
        assert job.state is JobState.COMPLETED
        assert (await desk.result(job)).text == "turn on"
