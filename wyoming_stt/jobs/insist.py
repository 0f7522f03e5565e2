"""Changes of jobs that have to be made, however long the store is away."""

import asyncio
import logging

from wyoming_stt.errors import JobsUnavailableError
from wyoming_stt.jobs.job import Job
from wyoming_stt.jobs.store import Change, JobStore

__all__ = ["insist"]

logger = logging.getLogger(__name__)


async def insist(
    store: JobStore, job_id: str, change: Change, piece: bytes | None = None, *, every_s: float
) -> Job:
    """Change a job as the store does; while it cannot be used, try again.

    A worker that gave up instead would have its last piece done again by the next one. Nothing that
    a change names a token for is done twice: where the answer was lost, the second time is refused.

    Args:
        store: keeps the job.
        job_id: of the job.
        change: what becomes of it.
        piece: kept with it.
        every_s: between two tries.
    """
    is_told = False
    while True:
        try:
            return await store.update(job_id, change, piece)
        except JobsUnavailableError as error:
            # Once: it may take hours.
            logger.log(logging.DEBUG if is_told else logging.WARNING, "Job %s: %s", job_id, error)
            is_told = True
        await asyncio.sleep(every_s)
