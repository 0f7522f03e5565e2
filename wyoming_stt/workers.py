"""Threads for inference beside the event loop; one that gets stuck is replaced, not waited for."""

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from wyoming_stt.errors import InferenceError, InferenceTimeoutError, SttError

__all__ = ["Done", "WorkerPool"]

T = TypeVar("T")


CLOSE_S: Final = 0.5
"""Longest wait for all threads at the end; one in the middle of a call may well need longer."""


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """What a call returned, and how long it waited and ran, in seconds."""

    value: T
    queue_s: float
    run_s: float


class _Job:
    """One call on its way through a thread."""

    def __init__(self, call: Callable[[], Any], loop: asyncio.AbstractEventLoop) -> None:
        self.call = call
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self.submitted = time.perf_counter()
        self.started: float | None = None
        self.worker: _Worker | None = None

    def run(self) -> None:
        try:
            value = self.call()
        except SttError as error:
            self._settle(error)
        except Exception as error:  # noqa: BLE001 - whatever a model throws ends one utterance only
            failure = InferenceError(f"the model failed: {type(error).__name__}: {error}")
            failure.__cause__ = error
            self._settle(failure)
        else:
            assert self.started is not None  # noqa: S101 - the worker has just set it
            run_s = time.perf_counter() - self.started
            self._settle(Done(value, self.started - self.submitted, run_s))

    def _settle(self, outcome: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self.loop.call_soon_threadsafe(self._resolve, outcome)

    def _resolve(self, outcome: object) -> None:
        if self.future.done():
            return
        if isinstance(outcome, SttError):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(outcome)


class _Worker(threading.Thread):
    """Takes jobs in their order until it is told to stop or given up."""

    def __init__(self, jobs: "queue.SimpleQueue[_Job | None]") -> None:
        super().__init__(name="inference", daemon=True)
        self._jobs = jobs
        self.abandoned = False

    def run(self) -> None:
        while not self.abandoned:
            job = self._jobs.get()
            if job is None:
                return
            if job.future.cancelled():
                continue
            job.worker, job.started = self, time.perf_counter()
            job.run()
            del job  # an idle worker must not keep the utterance it last worked for


class WorkerPool:
    """A fixed number of threads and one queue, first come, first served.

    Fairness follows from each utterance having at most one call in the queue.
    """

    def __init__(self, size: int) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._workers: set[_Worker] = set()
        for _ in range(size):
            self._hire()

    async def run(self, call: Callable[[], T], timeout_s: float) -> Done[T]:
        """Call in a thread; the timeout counts from when a thread takes it up.

        Raises:
            InferenceTimeoutError: the call took too long; its thread is given up and replaced.
            InferenceError: the call failed with anything that is not ours.
        """
        job = _Job(call, asyncio.get_running_loop())
        self._jobs.put(job)
        remaining = timeout_s
        while True:
            done, _ = await asyncio.wait([job.future], timeout=remaining)
            if done:
                result: Done[T] = job.future.result()
                return result
            running = 0.0 if job.started is None else time.perf_counter() - job.started
            if running >= timeout_s:
                self._replace(job)
                raise InferenceTimeoutError(f"no answer from the model within {timeout_s:g} s")
            remaining = timeout_s - running

    def close(self) -> None:
        """Let the threads end once the queue is empty; one that is stuck dies with the process.

        Idle threads are waited for, which takes no time: whatever they held is gone afterwards.
        """
        for _ in self._workers:
            self._jobs.put(None)
        until = time.perf_counter() + CLOSE_S
        for worker in self._workers:
            worker.join(max(0.0, until - time.perf_counter()))

    def _hire(self) -> None:
        worker = _Worker(self._jobs)
        self._workers.add(worker)
        worker.start()

    def _replace(self, job: _Job) -> None:
        job.future.cancel()
        if job.worker is not None and not job.worker.abandoned:
            job.worker.abandoned = True
            self._workers.discard(job.worker)
            self._hire()
