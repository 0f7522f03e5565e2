"""What a backend of the queue has to do, and what a door may do with jobs.

A store only keeps jobs and finds them; what may happen to one is decided in `jobs.job`, and comes
here as a function from the job that was to the job that is.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from wyoming_stt.jobs.job import Job, JobState, JobWishes
from wyoming_stt.transcript import Transcript

__all__ = ["Change", "JobFeed", "JobStore", "Jobs", "Order", "Page", "QueueStats"]

Change = Callable[[Job], Job]
"""May be called more than once, and must not do anything else."""


@dataclass(frozen=True, slots=True)
class Page:
    """Jobs in their order, and where the next page begins, if there is one."""

    jobs: tuple[Job, ...]
    cursor: int | None = None


@dataclass(frozen=True, slots=True)
class QueueStats:
    """How the queue is."""

    counts: Mapping[JobState, int]
    workers: int
    backend: str
    is_healthy: bool = True
    """Whether the backend can be used now."""


@dataclass(frozen=True, slots=True)
class Order:
    """What comes with a recording."""

    wishes: JobWishes
    key: str | None = None
    """Of the header `Idempotency-Key`."""
    callback_url: str | None = None


class JobStore(Protocol):
    """Keeps jobs; several processes may use the same one.

    Every method raises `JobsUnavailableError` where the backend cannot be used now.
    """

    backend: str
    """What it is: `sqlite` or `redis`."""

    async def add(self, job: Job, max_queued: int) -> Job:
        """Keep a new job and number it; or return the one that has the same `key`.

        Raises:
            QueueFullError: as many are queued already.
            NoRoomError: the backend has no disk space for it.
            JobsUnavailableError: nobody can say whether it was kept.
        """
        ...

    async def find(self, key: str) -> Job | None:
        """Return the job with this key, if there is one."""
        ...

    async def get(self, job_id: str) -> Job:
        """Return it as it is now.

        Raises:
            JobNotFoundError: there is none.
        """
        ...

    async def update(self, job_id: str, change: Change, piece: bytes | None = None) -> Job:
        """Change a job, with nobody else in between; return what it has become.

        Args:
            job_id: of the job.
            change: what becomes of it; what it raises is passed on, and nothing changes.
            piece: kept with the same stroke, as the one that ends where the job is settled now;
                all pieces are forgotten when the job ends.

        Raises:
            JobNotFoundError: there is none.
        """
        ...

    async def pieces(self, job_id: str) -> list[bytes]:
        """Return the pieces that were kept, in their order."""
        ...

    async def remove(self, job_id: str) -> None:
        """Forget a job, if there is one."""
        ...

    async def newest(self, label: str | None, limit: int, before: int | None = None) -> Page:
        """Return the last jobs (of those with the label), the newest first."""
        ...

    async def oldest(self, label: str, limit: int) -> Sequence[Job]:
        """Return the first jobs of those with the label, in their order."""
        ...

    async def counts(self) -> Mapping[JobState, int]:
        """Return how many there are in each state."""
        ...

    async def num_bytes(self) -> int:
        """Return what all jobs together take in the spool."""
        ...

    async def greet(self, worker: str, for_s: float) -> None:
        """Note that a worker is there for the next seconds; 0: that it leaves."""
        ...

    async def num_workers(self) -> int:
        """Return how many are there."""
        ...

    async def aclose(self) -> None:
        """Let go of files and connections."""
        ...


class JobFeed(Protocol):
    """Tells workers what to do."""

    async def announce(self, job_id: str) -> None:
        """Tell that this job can be claimed now."""
        ...

    async def run(self, work: Callable[[str], Awaitable[object]], num_workers: int) -> None:
        """Call `work` with jobs that may be there to claim, so many at once, until cancelled."""
        ...

    async def aclose(self) -> None:
        """Let go of connections."""
        ...

    async def remind(self, queued: Sequence[Job]) -> None:
        """Announce these again, if nothing else would ever lead to them."""
        ...


class Jobs(Protocol):
    """What a door may do."""

    max_upload_bytes: int

    async def submit(self, audio: AsyncIterator[bytes], order: Callable[[], Order]) -> Job:
        """Take a recording; `order` is asked when the last byte of it has come.

        Raises:
            AudioFormatError, LimitError: it cannot be transcribed.
            QueueFullError, NoRoomError: not now.
            BadRequestError: the order cannot be met.
            JobsUnavailableError: the backend cannot be used now; so do all methods.
            Whatever `audio` and `order` raise.
        """
        ...

    async def get(self, job_id: str) -> Job:
        """Return a job; JobNotFoundError where there is none, as of all that take an id."""
        ...

    async def result(self, job: Job) -> Transcript:
        """Return the words of a completed job; JobUnfinishedError of another."""
        ...

    async def page(self, state: JobState | None, limit: int, before: int | None) -> Page:
        """Return jobs, the newest first."""
        ...

    async def cancel(self, job_id: str) -> Job:
        """Cancel it; JobFinishedError where it is too late."""
        ...

    async def discard(self, job_id: str) -> tuple[Job, bool]:
        """Cancel a job that goes on, remove one that has ended; return it, and if it is gone."""
        ...

    def watch(self, job_id: str) -> AsyncIterator[Job]:
        """Return the job as it is, and again whenever it has changed, up to its end."""
        ...

    async def stats(self) -> QueueStats:
        """Return how the queue is."""
        ...
