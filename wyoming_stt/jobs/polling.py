"""How workers hear of jobs where the store is a file: told by their own process, or they look."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from wyoming_stt.errors import JobsUnavailableError, ModelError
from wyoming_stt.jobs.job import Job, JobState
from wyoming_stt.jobs.store import JobStore

__all__ = ["PollingFeed"]

logger = logging.getLogger(__name__)

PAUSE_S: Final = 5.0
"""After something that more haste would not mend: no model, no disk space."""
MOST_RESTING: Final = 100
"""Jobs that are passed over because they failed lately. So many there never are for long: each of
them took somebody's time, and none rests for more than minutes."""


class PollingFeed:
    """A `JobFeed`. Other processes that use the store are noticed within `look_s`."""

    def __init__(self, store: JobStore, look_s: float) -> None:
        self._store = store
        self._look_s = look_s
        self._news = asyncio.Event()

    async def announce(self, _: str) -> None:
        """Wake those who wait."""
        self._news.set()

    async def remind(self, _: Sequence[Job]) -> None:
        """Do nothing: who looks finds all of them."""

    async def run(self, work: Callable[[str], Awaitable[object]], num_workers: int) -> None:
        """Work on the oldest jobs until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(num_workers):
                group.create_task(self._run(work))

    async def aclose(self) -> None:
        """Do nothing: the store has the file."""

    async def _run(self, work: Callable[[str], Awaitable[object]]) -> None:
        while True:
            self._news.clear()
            try:
                job = await self._next()
                if job is not None:
                    await work(job.id)
            except (JobsUnavailableError, ModelError) as error:
                logger.warning("Jobs wait: %s", error)
                await asyncio.sleep(PAUSE_S)
            else:
                if job is None:
                    await self._wait()

    async def _next(self) -> Job | None:
        """Return the oldest job that may be tried."""
        for limit in (1, MOST_RESTING):  # the first one nearly always
            now = datetime.now(UTC)
            for job in await self._store.oldest(JobState.QUEUED, limit):
                if job.rest.is_over(now):
                    return job
        return None

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._look_s):
                await self._news.wait()
        except TimeoutError:
            pass
