"""What has to be seen to beside the work: in every process that uses the queue, again and again."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
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
        self._told: list[set[str]] = []
        """What each of them has said since it last went well."""

    async def run(self) -> None:
        """Go on until cancelled; what goes wrong with one of these is in no other's way."""
        look_s = self._options.beat_s
        self._told.clear()
        async with asyncio.TaskGroup() as group:
            for step, every_s in (
                (self._take_back, look_s),
                (self._remind, look_s),
                (self._count, look_s),
                (self._caller.deliver, look_s),
                (partial(retention.remove_spent, self._store, self._spool), look_s),
                (self._forget_old, TIDY_S),
                (partial(retention.remove_orphans, self._store, self._spool), ORPHANS_S),
            ):
                group.create_task(self._repeat(step, every_s))

    async def _take_back(self) -> None:
        """Find workers that have died."""
        held = await self._store.oldest(JobState.PROCESSING, MOST_HELD)
        lost = self._watch.lost(held, time.monotonic())
        await take_back(lost, self._store, self._feed, self._options, _now())

    async def _remind(self) -> None:
        """Find jobs that no worker knows of."""
        now = _now()
        queued = await self._store.oldest(JobState.QUEUED, REMINDERS)
        waiting = [job for job in queued if job.rest.is_over(now)]
        if waiting:
            await self._feed.remind(waiting)

    async def _count(self) -> None:
        counts = await self._store.counts()
        self._counted({state.value: number for state, number in counts.items()})

    async def _forget_old(self) -> None:
        await retention.forget_old(self._store, self._spool, self._options, _now())

    async def _repeat(self, step: Callable[[], Awaitable[None]], every_s: float) -> None:
        told: set[str] = set()
        self._told.append(told)
        while True:
            try:
                await step()
                told.clear()
            except Exception as error:
                # Once, whichever of them finds it first: it may take hours.
                is_news = not any(repr(error) in others for others in self._told)
                told.add(repr(error))
                level = logging.WARNING if is_news else logging.DEBUG
                mistake = None if isinstance(error, JobsUnavailableError) else error
                logger.log(level, "Jobs: %s", error, exc_info=mistake)
            await asyncio.sleep(every_s)


def _now() -> datetime:
    return datetime.now(UTC)
