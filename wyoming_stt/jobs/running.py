"""The queue put together: what keeps it, what feeds it, who works on it."""

import asyncio
import contextlib
import logging
import os
import socket
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from wyoming_stt.engine import Engine, UtteranceOptions
from wyoming_stt.errors import JobsUnavailableError
from wyoming_stt.jobs.attempt import Tools
from wyoming_stt.jobs.backends import open_backend, open_spool
from wyoming_stt.jobs.callback import CallbackGuard
from wyoming_stt.jobs.caller import Caller
from wyoming_stt.jobs.caretaker import Caretaker
from wyoming_stt.jobs.desk import JobDesk
from wyoming_stt.jobs.options import JobsOptions
from wyoming_stt.jobs.store import JobStore
from wyoming_stt.jobs.worker import JobWorker
from wyoming_stt.observability.observer import Observer

__all__ = ["running_jobs"]

logger = logging.getLogger(__name__)

PAUSE_S: Final = 1.0
"""After a mistake of ours, before the work begins anew."""


@asynccontextmanager
async def running_jobs(
    options: JobsOptions,
    data: Path,
    engine: Engine,
    *,
    defaults: UtteranceOptions,
    observer: Observer,
    counted: Callable[[Mapping[str, int]], None] = lambda _: None,
) -> AsyncIterator[JobDesk]:
    """Take jobs and do them while the block runs; what is not done then waits for the next time.

    Args:
        options: which backend, and how much.
        data: folder of whatever is kept on this machine.
        engine: need not be ready.
        defaults: of an utterance.
        observer: counts what workers do, as at a door.
        counted: is told how many jobs there are in each state.
    """
    async with AsyncExitStack() as stack:
        store, feed = open_backend(options, data)
        stack.push_async_callback(store.aclose)
        stack.push_async_callback(feed.aclose)
        spool = open_spool(options, data)
        guard = CallbackGuard(options.callback_hosts)
        tools = Tools(engine, store, spool, options, defaults, observer)
        worker = JobWorker(_name(), tools)
        caretaker = Caretaker(
            store, spool, feed, Caller(store, guard, options), options=options, counted=counted
        )
        works = [caretaker.run]
        if options.workers:
            works += [
                partial(feed.run, worker.work, options.workers),
                partial(_present, store, worker.name, options),
            ]
        for work in works:
            task = asyncio.create_task(_lasting(work))
            stack.push_async_callback(_ended, task)
        yield JobDesk(store, spool, feed, guard, options)


def _name() -> str:
    """Name this process among all that work on the queue, for whoever reads its log."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


async def _present(store: JobStore, name: str, options: JobsOptions) -> None:
    """Be counted among the workers, as often as this process has some."""
    names = [f"{name}:{number}" for number in range(options.workers)]
    try:
        while True:
            with contextlib.suppress(JobsUnavailableError):
                for one in names:
                    await store.greet(one, options.lease_s)
            await asyncio.sleep(options.beat_s)
    finally:
        with contextlib.suppress(JobsUnavailableError):
            for one in names:
                await store.greet(one, 0)


async def _lasting(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Do it until cancelled; begin anew after what nobody expected."""
    while True:
        task = asyncio.create_task(work())
        try:
            await asyncio.wait([task])
        finally:
            await _ended(task)
        # Cancelled from within is as unexpected as an error: whoever cancels us is heard above.
        error = None if task.cancelled() else task.exception()
        logger.error("Jobs: this should not happen", exc_info=error)
        await asyncio.sleep(PAUSE_S)


async def _ended(task: asyncio.Task[None]) -> None:
    """Cancel a task, and wait until it is over."""
    task.cancel()
    await asyncio.wait([task])
