"""Who is still at work, and who has died over it."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final

from wyoming_stt.errors import JobNotFoundError
from wyoming_stt.jobs.job import Failure, Hold, Job, JobState, LeaseLostError
from wyoming_stt.jobs.options import JobsOptions
from wyoming_stt.jobs.store import JobFeed, JobStore

__all__ = ["LeaseWatch", "take_back"]

MOST_BEATS: Final = 1.5
"""That the time between two looks, which are to be a beat apart, counts for."""
DIED: Final = Failure("worker-died", "its worker gave no sign of life any more")


class LeaseWatch:
    """Remembers when each hold was last seen to change, by the clock of whoever watches.

    So no two machines need to agree on the time, and no clock that is set can end a lease. And time
    in which it could not look does not count: what kept it from that, a store that was away or a
    machine that had too much to do, may have kept workers from giving signs.
    """

    def __init__(self, lease_s: float, beat_s: float) -> None:
        self._lease_s = lease_s
        self._most_s = MOST_BEATS * beat_s
        self._seen: dict[str, tuple[Hold, float]] = {}
        self._looked_s = float("-inf")
        self._watched_s = 0.0

    def lost(self, held: Sequence[Job], now_s: float) -> list[Job]:
        """Return the jobs whose holds did not change for too long.

        Args:
            held: all jobs that are being processed.
            now_s: of any clock that never goes back.
        """
        self._watched_s += min(now_s - self._looked_s, self._most_s)
        self._looked_s = now_s
        before, self._seen = self._seen, {}
        lost = []
        for job in held:
            if job.hold is None:
                continue
            hold, since_s = before.get(job.id, (job.hold, self._watched_s))
            if hold != job.hold:
                hold, since_s = job.hold, self._watched_s
            self._seen[job.id] = hold, since_s
            if self._watched_s - since_s >= self._lease_s:
                lost.append(job)
        return lost


async def take_back(
    lost: Sequence[Job], store: JobStore, feed: JobFeed, options: JobsOptions, now: datetime
) -> None:
    """Queue jobs again whose workers have died, or end them where too many did."""
    for job in lost:
        try:
            back = await store.update(job.id, partial(_taken, job.hold, options.max_tries, now))
        except (LeaseLostError, JobNotFoundError):
            continue  # it did give a sign, or somebody else took it back
        if back.state is JobState.QUEUED:
            await feed.announce(job.id)


def _taken(hold: Hold | None, max_tries: int, now: datetime, job: Job) -> Job:
    if hold is None or job.hold != hold:
        raise LeaseLostError(job.id)
    return job.set_back(hold.token, DIED, max_tries, now)
