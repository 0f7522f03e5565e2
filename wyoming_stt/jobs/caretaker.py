"""What has to be seen to beside the work: in every process that uses the queue, again and again."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from wyoming_stt.errors import JobsUnavailableError
from wyoming_stt.jobs import retention
from wyoming_stt.jobs.caller import Caller
from wyoming_stt.jobs.job import JobState
from wyoming_stt.jobs.leases import LeaseWatch, take_back
from wyoming_stt.jobs.options import JobsOptions
from wyoming_stt.jobs.spool import Spool
from wyoming_stt.jobs.store import JobFeed, JobStore

__all__ = ["Caretaker"]

logger = logging.getLogger(__name__)

TIDY_S: Final = 60.0
"""Between two looks at what is old."""
ORPHANS_S: Final = 3_600.0
MOST_HELD: Final = 10_000
"""Jobs that workers hold at once; so many there never are."""
REMINDERS: Final = 10


class Caretaker:
    """Several may be at it at the same time: whatever two of them do at once is done once."""

    def __init__(
        self,
        store: JobStore,
        spool: Spool,
        feed: JobFeed,
        caller: Caller,
        *,
        options: JobsOptions,
        counted: Callable[[Mapping[str, int]], None],
    ) -> None:
        self._store = store
        self._spool = spool
        self._feed = feed
        self._caller = caller
        self._options = options
        self._counted = counted
        self._watch = LeaseWatch(options.lease_s, options.beat_s)

    async def run(self) -> None:
        """Go on until cancelled; while the store cannot be used, wait for it."""
        look_s = self._options.beat_s
        async with asyncio.TaskGroup() as group:
            group.create_task(_repeat(self.look_after, look_s))
            group.create_task(_repeat(self._caller.deliver, look_s))
            group.create_task(_repeat(self.tidy, TIDY_S))
            group.create_task(_repeat(self._remove_orphans, ORPHANS_S))

    async def look_after(self) -> None:
        """Find workers that have died, jobs that nobody knows of, and audio of no more use."""
        held = await self._store.oldest(JobState.PROCESSING, MOST_HELD)
        lost = self._watch.lost(held, time.monotonic())
        await take_back(lost, self._store, self._feed, self._options, datetime.now(UTC))
        now = datetime.now(UTC)
        queued = await self._store.oldest(JobState.QUEUED, REMINDERS)
        waiting = [job for job in queued if job.rest.is_over(now)]
        if waiting:
            await self._feed.remind(waiting)
        await retention.remove_spent(self._store, self._spool)
        counts = await self._store.counts()
        self._counted({state.value: number for state, number in counts.items()})

    async def tidy(self) -> None:
        """Forget what ended long ago."""
        now = datetime.now(UTC)
        await retention.forget_old(self._store, self._spool, self._options, now)

    async def _remove_orphans(self) -> None:
        await retention.remove_orphans(self._store, self._spool)


async def _repeat(step: Callable[[], Awaitable[None]], every_s: float) -> None:
    is_told = False
    while True:
        try:
            await step()
            is_told = False
        except JobsUnavailableError as error:
            # Once: it may take hours.
            logger.log(logging.DEBUG if is_told else logging.WARNING, "Jobs: %s", error)
            is_told = True
        await asyncio.sleep(every_s)
