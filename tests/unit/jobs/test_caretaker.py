"""What has to be seen to is seen to, whatever goes wrong beside it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.support.engines import eventually
from tests.support.job_queues import FAST, HOLD, NOW, Backend, new_job
from wyoming_stt.errors import JobsUnavailableError
from wyoming_stt.jobs import retention
from wyoming_stt.jobs.callback import CallbackGuard
from wyoming_stt.jobs.caller import Caller
from wyoming_stt.jobs.caretaker import Caretaker
from wyoming_stt.jobs.job import JobState


@pytest.mark.parametrize("error", [JobsUnavailableError("away"), KeyError("a mistake")])
@pytest.mark.parametrize("broken", ["deliver", "remove_spent", "remove_orphans", "forget_old"])
async def test_one_that_fails_does_not_stop_the_others(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    broken: str,
    error: Exception,
) -> None:
    calls = []
    monkeypatch.setattr(Caller if broken == "deliver" else retention, broken, failing(calls, error))
    monkeypatch.setattr("wyoming_stt.jobs.caretaker.TIDY_S", 0.01)
    monkeypatch.setattr("wyoming_stt.jobs.caretaker.ORPHANS_S", 0.01)
    backend, counted = Backend(FAST, tmp_path), []
    async with backend.opened() as (store, feed):
        await store.add(new_job().claimed(HOLD, NOW), 10)
        caller = Caller(store, CallbackGuard(()), FAST)
        caretaker = Caretaker(
            store, backend.spool(), feed, caller, options=FAST, counted=counted.append
        )
        running = asyncio.create_task(caretaker.run())
        await eventually(lambda: len(calls) > 5)
        # Its worker is known to have died.
        await eventually(lambda: counted and counted[-1][JobState.QUEUED] == 1)
        running.cancel()
        await asyncio.wait([running])
    told = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(told) == 1, "once"


def failing(calls: list[int], error: Exception) -> Callable[..., Awaitable[None]]:
    async def fail(*_: object) -> None:
        calls.append(len(calls))
        raise error

    return fail
