"""How long jobs that have ended are kept, and how nothing is left of them."""

import logging
from datetime import datetime, timedelta
from typing import Final

from wyoming_stt.errors import JobNotFoundError
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


async def remove(job: Job, store: JobStore, spool: Spool) -> None:
    """Remove a job and its files; the files first, for a job that is there can be removed again."""
    for file in job.files:
        await spool.remove(file.name)
    await store.remove(job.id)


async def remove_spent(store: JobStore, spool: Spool) -> None:
    """Remove the recordings of jobs that have ended: nobody needs them."""
    while jobs := await store.oldest(SPENT, BATCH):
        for job in jobs:
            if job.audio is not None:
                await spool.remove(job.audio.name)
            try:
                await store.update(job.id, Job.without_audio)
            except JobNotFoundError:
                logger.debug("Job %s was removed meanwhile", job.id)


async def forget_old(store: JobStore, spool: Spool, options: JobsOptions, now: datetime) -> None:
    """Remove jobs that ended long ago."""
    until = now - timedelta(seconds=options.keep_s)
    for state in (state for state in JobState if state.is_final):
        while jobs := await store.oldest(state, BATCH):
            old = [job for job in jobs if job.completed_at is None or job.completed_at < until]
            for job in old:
                await remove(job, store, spool)
            # They end about in the order in which they were submitted: later ones wait their turn.
            if len(old) < BATCH:
                break


async def remove_orphans(store: JobStore, spool: Spool) -> None:
    """Remove files that no job knows of: of workers and uploads that were interrupted."""
    for entry in await spool.entries():
        if entry.age_s < ORPHAN_S:
            continue
        try:
            files = (await store.get(entry.name.partition(".")[0])).files
        except JobNotFoundError:
            files = ()
        if entry.name not in {file.name for file in files}:
            await spool.remove(entry.name)
