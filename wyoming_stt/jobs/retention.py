"""How long jobs that have ended are kept, and how nothing is left of them."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from wyoming_stt.errors import JobNotFoundError, JobsUnavailableError
from wyoming_stt.jobs.job import SPENT, Job, JobState
from wyoming_stt.jobs.options import JobsOptions
from wyoming_stt.jobs.spool import Spool
from wyoming_stt.jobs.store import JobStore

__all__ = ["forget_old", "remove", "remove_orphans", "remove_spent"]

logger = logging.getLogger(__name__)

BATCH: Final = 100
"""Jobs looked at in one go."""
ORPHAN_S: Final = 86_400.0
"""A file that belongs to no job is removed at this age; younger ones may be arriving."""


class _Broom:
    """Removes files, and passes over those that cannot be: they must not keep others from going."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._errors: dict[str, JobsUnavailableError] = {}

    async def remove(self, owner: str, names: Iterable[str]) -> bool:
        """Remove the files of a job; tell whether they are gone."""
        try:
            for name in names:
                await self._spool.remove(name)
        except JobsUnavailableError as error:
            self._errors[owner] = error
            return False
        return True

    async def oldest(self, store: JobStore, label: str) -> list[Job]:
        """Return the first jobs with the label, but for those that were passed over."""
        jobs = await store.oldest(label, BATCH + len(self._errors))
        return [job for job in jobs if job.id not in self._errors]

    def tell(self) -> None:
        """Raise the first of what went wrong."""
        for error in self._errors.values():
            message = f"{len(self._errors)} cannot be removed, the first of them: {error}"
            raise JobsUnavailableError(message)


async def remove(job: Job, store: JobStore, spool: Spool) -> None:
    """Remove a job and its files; the files first, for a job that is there can be removed again."""
    for file in job.files:
        await spool.remove(file.name)
    await store.remove(job.id)


async def remove_spent(store: JobStore, spool: Spool) -> None:
    """Remove the recordings of jobs that have ended: nobody needs them.

    Raises:
        JobsUnavailableError: the store is away, or some could not be removed; so do all of these.
    """
    broom = _Broom(spool)
    while jobs := await broom.oldest(store, SPENT):
        for job in jobs:
            if not await broom.remove(job.id, [job.audio.name] if job.audio else []):
                continue
            try:
                await store.update(job.id, Job.without_audio)
            except JobNotFoundError:
                logger.debug("Job %s was removed meanwhile", job.id)
    broom.tell()


async def forget_old(store: JobStore, spool: Spool, options: JobsOptions, now: datetime) -> None:
    """Remove jobs that ended long ago."""
    until = now - timedelta(seconds=options.keep_s)
    broom = _Broom(spool)
    for state in (state for state in JobState if state.is_final):
        while jobs := await broom.oldest(store, state):
            old = [job for job in jobs if job.completed_at is None or job.completed_at < until]
            for job in old:
                if await broom.remove(job.id, [file.name for file in job.files]):
                    await store.remove(job.id)
            # They end about in the order in which they were submitted: later ones wait their turn.
            if len(old) < len(jobs):
                break
    broom.tell()


async def remove_orphans(store: JobStore, spool: Spool) -> None:
    """Remove files that no job knows of: of workers and uploads that were interrupted."""
    broom = _Broom(spool)
    for entry in await spool.entries():
        if entry.age_s < ORPHAN_S:
            continue
        try:
            files = (await store.get(entry.name.partition(".")[0])).files
        except JobNotFoundError:
            files = ()
        if entry.name not in {file.name for file in files}:
            await broom.remove(entry.name, [entry.name])
    broom.tell()
