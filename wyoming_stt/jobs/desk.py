"""Where clients hand in recordings and come back for the words."""

import asyncio
import contextlib
import uuid
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import accumulate
from typing import Final

from wyoming_stt.errors import (
    AudioFormatError,
    BadRequestError,
    JobFinishedError,
    JobsUnavailableError,
    NoRoomError,
    OverloadedError,
    QueueFullError,
)
from wyoming_stt.jobs.callback import CallbackGuard
from wyoming_stt.jobs.job import Callback, File, Job, JobState
from wyoming_stt.jobs.options import JobsOptions
from wyoming_stt.jobs.retention import remove
from wyoming_stt.jobs.spool import Spool
from wyoming_stt.jobs.store import JobFeed, JobStore, Order, Page, QueueStats
from wyoming_stt.jobs.worker import RESULT
from wyoming_stt.media_stream import MediaOptions, MediaStream
from wyoming_stt.transcript import Transcript

__all__ = ["JobDesk"]

WATCH_S: Final = 0.5
"""Between two looks at a job that somebody watches."""
FIRST_LOOK: Final = 100
"""Results that are looked at for what they take; more, where they are too small."""


class JobDesk:
    """What doors call `Jobs`."""

    def __init__(
        self,
        store: JobStore,
        spool: Spool,
        feed: JobFeed,
        guard: CallbackGuard,
        options: JobsOptions,
    ) -> None:
        self.max_upload_bytes = options.max_upload_bytes
        self._store = store
        self._spool = spool
        self._feed = feed
        self._guard = guard
        self._options = options

    async def submit(self, audio: AsyncIterator[bytes], order: Callable[[], Order]) -> Job:
        """Take a recording; see `Jobs`."""
        job_id = str(uuid.uuid4())
        file = await self._spool.receive(job_id, audio)
        may_be_kept = False
        try:
            wanted = order()
            job = await self._known(wanted) or await self._admitted(job_id, file, wanted)
            if job.id == job_id:
                # Also where no answer comes, or nobody waits for it any more.
                may_be_kept = True
                job = await self._store.add(job, self._options.max_queued)
                may_be_kept = job.id == job_id
            _compare(job, file, wanted)
        except OverloadedError:
            may_be_kept = False  # that is certain
            raise
        finally:
            if not may_be_kept:
                with contextlib.suppress(JobsUnavailableError):  # then it goes with other leftovers
                    await asyncio.shield(self._spool.remove(file.name))
        await self._feed.announce(job.id)
        return job

    async def get(self, job_id: str) -> Job:
        """Return a job."""
        return await self._store.get(job_id)

    async def result(self, job: Job) -> Transcript:
        """Return the words of a completed job."""
        return RESULT.validate_json(await self._spool.read(job.finished_result().name))

    async def page(self, state: JobState | None, limit: int, before: int | None) -> Page:
        """Return jobs, the newest first."""
        return await self._store.newest(state, limit, before)

    async def cancel(self, job_id: str) -> Job:
        """Cancel it; whoever works on it is told at its next step."""
        return await self._store.update(job_id, lambda job: job.cancelled(datetime.now(UTC)))

    async def discard(self, job_id: str) -> tuple[Job, bool]:
        """Cancel it, or remove it where it has ended."""
        now = datetime.now(UTC)
        try:
            return await self._store.update(job_id, lambda job: job.cancelled(now)), False
        except JobFinishedError:
            job = await self._store.get(job_id)
            await remove(job, self._store, self._spool)
            return job, True

    async def watch(self, job_id: str) -> AsyncIterator[Job]:
        """Return the job as it is, and again whenever it has changed."""
        job = await self._store.get(job_id)
        yield job
        while not job.state.is_final:
            await asyncio.sleep(WATCH_S)
            last, job = job, await self._store.get(job_id)
            if _visible(job) != _visible(last):
                yield job

    async def stats(self) -> QueueStats:
        """Return how the queue is, also where it cannot be used."""
        backend = self._store.backend
        try:
            return QueueStats(await self._store.counts(), await self._store.num_workers(), backend)
        except JobsUnavailableError:
            return QueueStats({}, 0, backend, is_healthy=False)

    async def _known(self, order: Order) -> Job | None:
        """Return the job that was submitted with the same key before."""
        return await self._store.find(order.key) if order.key is not None else None

    async def _admitted(self, job_id: str, file: File, order: Order) -> Job:
        """Make a job of a recording that can be transcribed, and for which there is room."""
        if not file.num_bytes:
            raise AudioFormatError("the recording is empty")
        callback = None
        if order.callback_url is not None:
            await self._guard.check(order.callback_url)
            callback = Callback(order.callback_url)
        duration_s = await self._duration_s(file)
        queued = (await self._store.counts())[JobState.QUEUED]
        if queued >= self._options.max_queued:
            raise QueueFullError(queued)
        await self._make_room(file.num_bytes)
        return Job(
            id=job_id,
            created_at=datetime.now(UTC),
            wishes=order.wishes,
            audio=file,
            sha256=file.sha256,
            duration_s=duration_s,
            key=order.key,
            callback=callback,
        )

    async def _duration_s(self, file: File) -> float | None:
        """Look whether it is a recording, and how long it says that it is."""
        limits = MediaOptions(self._options.max_duration_s, section="jobs")
        try:
            async with MediaStream(partial(self._spool.open, file.name), limits) as media:
                return media.duration_s
        except OSError as error:
            message = f"the recording cannot be read: {error.strerror or error}"
            raise JobsUnavailableError(message) from error

    async def _make_room(self, num_bytes: int) -> None:
        """Let the oldest results go where they stand in the way of a new recording.

        None goes before it is known that so there will be room.
        """
        missing = await self._store.num_bytes() + num_bytes - self._options.max_bytes
        if missing > 0:
            for job in await self._oldest_results(missing):
                await remove(job, self._store, self._spool)

    async def _oldest_results(self, num_bytes: int) -> Sequence[Job]:
        """Return those that together take so much.

        Raises:
            NoRoomError: there are not enough of them.
        """
        limit = FIRST_LOOK
        while True:
            ended = await self._store.oldest(JobState.COMPLETED, limit)
            sums = list(accumulate(job.num_bytes for job in ended))
            if sums and sums[-1] >= num_bytes:
                return ended[: bisect_left(sums, num_bytes) + 1]
            if len(ended) < limit:
                message = "no room for the recording among those that wait (setting jobs.max_bytes)"
                raise NoRoomError(message)
            limit *= 4


def _compare(job: Job, file: File, order: Order) -> None:
    """Refuse a key that stands for something else."""
    if (job.sha256, job.wishes) != (file.sha256, order.wishes):
        message = "this Idempotency-Key came with another recording, or other wishes, before"
        raise BadRequestError(message)


def _visible(job: Job) -> Job:
    """Leave out what changes with every sign of life."""
    hold = replace(job.hold, beat=0) if job.hold else None
    return replace(job, hold=hold)
