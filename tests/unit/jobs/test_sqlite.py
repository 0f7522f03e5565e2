"""What only a queue in a file can do, or fail to do."""

from pathlib import Path

import pytest

from tests.support.job_queues import FAST, Backend, submitted, until_ended
from wyoming_stt.errors import NoRoomError
from wyoming_stt.jobs.job import JobState


async def test_a_full_disk_takes_no_more_and_loses_nothing(tmp_path: Path) -> None:
    backend = Backend(FAST, tmp_path)
    async with backend.desk() as desk:
        jobs = [await submitted(desk)]
        connection = desk._store._connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(NoRoomError, match="full"):  # noqa: PT012 - there is room in the pages
            while True:
                jobs.append(await submitted(desk))
        names = {entry.name for entry in await backend.spool().entries()}
        assert names == {job.id for job in jobs}
    async with backend.running() as desk:
        for job in jobs:
            assert (await until_ended(desk, job.id)).state is JobState.COMPLETED
