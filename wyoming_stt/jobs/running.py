"""The queue put together: what keeps it, what feeds it, who works on it."""

import asyncio
import contextlib
import os
import socket
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from wyoming_stt.engine import Engine, UtteranceOptions
from wyoming_stt.errors import JobsUnavailableError
from wyoming_stt.jobs.attempt import Tools
from wyoming_stt.jobs.callback import CallbackGuard
from wyoming_stt.jobs.caller import Caller
from wyoming_stt.jobs.caretaker import Caretaker
from wyoming_stt.jobs.desk import JobDesk
from wyoming_stt.jobs.options import JobsOptions
from wyoming_stt.jobs.polling import PollingFeed
from wyoming_stt.jobs.spool import FolderSpool, Spool, SpoolLimits
from wyoming_stt.jobs.sqlite import SqliteStore
from wyoming_stt.jobs.store import JobFeed, JobStore
from wyoming_stt.jobs.worker import JobWorker
from wyoming_stt.observability.observer import Observer

__all__ = ["running_jobs"]

FILE = "jobs.sqlite3"
"""Its name in the data folder; recordings are in `jobs` beside it."""


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
        store, feed = await _backend(options, data, stack)
        spool = _spool(options, data)
        guard = CallbackGuard(options.callback_hosts)
        tools = Tools(engine, store, spool, options, defaults, observer)
        worker = JobWorker(_name(), tools)
        caretaker = Caretaker(
            store, spool, feed, Caller(store, guard, options), options=options, counted=counted
        )
        for work in (
            caretaker.run(),
            feed.run(worker.work, options.workers),
            _present(store, worker.name, options),
        ):
            task = asyncio.create_task(work)
            stack.push_async_callback(_ended, task)
        yield JobDesk(store, spool, feed, guard, options)


async def _backend(
    options: JobsOptions, data: Path, stack: AsyncExitStack
) -> tuple[JobStore, JobFeed]:
    store = SqliteStore(data / FILE)
    stack.push_async_callback(store.aclose)
    return store, PollingFeed(store, options.beat_s)


def _spool(options: JobsOptions, data: Path) -> Spool:
    limits = SpoolLimits(options.max_upload_bytes, options.min_free_bytes)
    folder = options.folder or str(data / "jobs")
    return FolderSpool(Path(folder), limits)


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


async def _ended(task: asyncio.Task[None]) -> None:
    """Cancel a task, and wait until it is over."""
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error
