"""Whose turn it is to be called back."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.job_queues import NOW, backend_of, new_job
from wyoming_stt.jobs.callback import CallbackGuard
from wyoming_stt.jobs.caller import AT_ONCE, PAGE, Caller
from wyoming_stt.jobs.job import Callback
from wyoming_stt.jobs.options import JobsOptions

NOBODY = "http://127.0.0.1:1/"


@pytest.mark.parametrize("wait", [timedelta(hours=6), timedelta()])
@pytest.mark.parametrize("number", [AT_ONCE, PAGE + 1])
async def test_the_dead_do_not_silence_the_others(
    tmp_path: Path, wait: timedelta, number: int
) -> None:
    """Neither while they wait for their next try, nor when it has come."""
    with backend_of("sqlite", tmp_path) as backend:
        async with backend.opened() as (store, _):
            dead = Callback(NOBODY, tries=3, next_at=NOW + wait)
            old = [
                await store.add(new_job(callback=dead).cancelled(NOW), 1_000) for _ in range(number)
            ]
            fresh = await store.add(new_job(callback=Callback(NOBODY)).cancelled(NOW), 1_000)
            await Caller(store, CallbackGuard(("127.0.0.1",)), JobsOptions()).deliver(NOW)
            assert (await store.get(fresh.id)).callback.tries == 1
            tried = [job for job in old if (await store.get(job.id)).callback.tries > 3]
            assert len(tried) == (0 if wait else AT_ONCE - 1)
