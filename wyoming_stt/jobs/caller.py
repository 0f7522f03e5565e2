"""Calls clients back, again and again, until they have heard."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from wyoming_stt.errors import BadRequestError, JobNotFoundError
from wyoming_stt.jobs.callback import CallbackGuard, message, post, signed
from wyoming_stt.jobs.job import OWES_CALLBACK, Callback, Job, LeaseLostError
from wyoming_stt.jobs.options import JobsOptions
from wyoming_stt.jobs.store import JobStore

__all__ = ["Caller"]

logger = logging.getLogger(__name__)

FIRST_PAUSE_S: Final = 15.0
"""After the first try that failed; each further pause is four times as long."""
LONGEST_PAUSE_S: Final = 21_600.0
AT_ONCE: Final = 10
PAGE: Final = 100
SUCCESS: Final = range(200, 300)


class Caller:
    """Delivers what the jobs in a store owe, at least once."""

    def __init__(self, store: JobStore, guard: CallbackGuard, options: JobsOptions) -> None:
        self._store = store
        self._guard = guard
        self._options = options

    async def deliver(self, now: datetime | None = None) -> None:
        """Make calls that are due: first to those who had no chance to answer yet."""
        now = now or datetime.now(UTC)
        due = [job async for job in self._owing() if job.callback and _is_due(job.callback, now)]
        due.sort(key=_turn)
        await asyncio.gather(*(self._deliver(job, now) for job in due[:AT_ONCE]))

    async def _owing(self) -> AsyncIterator[Job]:
        """Yield all that owe a call; any number of them may wait for hours."""
        cursor: int | None = None
        while True:
            page = await self._store.newest(OWES_CALLBACK, PAGE, cursor)
            for job in page.jobs:
                yield job
            if (cursor := page.cursor) is None:
                return

    async def _deliver(self, job: Job, now: datetime) -> None:
        """Make one call, unless another process is about to; note how it went."""
        try:
            job = await self._store.update(job.id, lambda current: _begun(current, job, now))
            error = await self._call(job, now)
            await self._store.update(job.id, lambda job: self._noted(job, error))
        except (LeaseLostError, JobNotFoundError):
            logger.debug("Job %s: another process calls back, or the job is gone", job.id)

    async def _call(self, job: Job, now: datetime) -> str | None:
        """Return what went wrong."""
        assert job.callback is not None  # noqa: S101 - by its label
        body = message(job)
        headers = signed(job, body, self._options.callback_secret, now)
        timeout_s = self._options.callback_timeout_s
        try:
            # In all: who sends a byte now and then is left, too.
            async with asyncio.timeout(timeout_s):
                target = await self._guard.check(job.callback.url)
                status = await post(target, body, headers)
        except TimeoutError:
            return f"no answer within {timeout_s:g} s"
        except (BadRequestError, OSError, ValueError) as error:
            return str(error)
        return None if status in SUCCESS else f"it answered {status}"

    def _noted(self, job: Job, error: str | None) -> Job:
        if job.callback is None:
            return job
        if error is not None:
            logger.warning("Job %s: calling back failed: %s", job.id, error)
        is_settled = error is None or job.callback.tries >= self._options.callback_tries
        return replace(job, callback=replace(job.callback, error=error, is_settled=is_settled))


def _turn(job: Job) -> tuple[int, int]:
    return job.callback.tries if job.callback else 0, job.seq


def _is_due(callback: Callback, now: datetime) -> bool:
    """Tell whether it is time; a clock that was set back must not make it wait for years."""
    if callback.next_at is None or callback.next_at <= now:
        return True
    return (callback.next_at - now).total_seconds() > LONGEST_PAUSE_S


def _begun(job: Job, seen: Job, now: datetime) -> Job:
    if job.callback is None or job.callback != seen.callback:
        raise LeaseLostError(job.id)
    tries = job.callback.tries
    pause_s = min(FIRST_PAUSE_S * 4**tries, LONGEST_PAUSE_S)
    next_at = now + timedelta(seconds=pause_s)
    return replace(job, callback=replace(job.callback, tries=tries + 1, next_at=next_at))
