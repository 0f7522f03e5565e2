"""Threads for inference beside the event loop; one that gets stuck is replaced, not waited for."""

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, TypeVar

from wyoming_stt.errors import InferenceError, InferenceTimeoutError, ShuttingDownError, SttError

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

    timer: asyncio.TimerHandle

    def __init__(
        self, call: Callable[[], Any], timeout_s: float, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.timeout_s = timeout_s
        self.loop = loop
        self.future: asyncio.Future[Done[Any] | SttError] = loop.create_future()
        self.worker: _Worker | None = None
        self.finished = False
        self._call = call
        self._submitted = time.perf_counter()
        self._started: float | None = None

    @property
    def running_s(self) -> float:
        """How long a thread has been at it."""
        return 0.0 if self._started is None else time.perf_counter() - self._started

    def run(self, worker: "_Worker") -> None:
        """Make the call in this thread, unless nobody waits for it any more."""
        self.worker, self._started = worker, time.perf_counter()
        if self.future.cancelled():
            settle: Callable[[], None] = self.timer.cancel
        else:
            settle = partial(self.settle, self._outcome(self._started))
        self.finished = True
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self.loop.call_soon_threadsafe(settle)

    def settle(self, outcome: Done[Any] | SttError) -> None:
        """Tell the caller. An error is a result here: one that nobody awaits is no mistake."""
        self.timer.cancel()
        if not self.future.done():
            self.future.set_result(outcome)

    def _outcome(self, started: float) -> Done[Any] | SttError:
        try:
            value = self._call()
        except SttError as error:
            return error
        except Exception as error:  # noqa: BLE001 - whatever a model throws ends one utterance only
            failure = InferenceError(f"the model failed: {type(error).__name__}: {error}")
            failure.__cause__ = error
            return failure
        return Done(value, started - self._submitted, time.perf_counter() - started)


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
                self._jobs.put(None)  # for the next thread
                return
            job.run(self)
            del job  # an idle worker must not keep the utterance it last worked for


class WorkerPool:
    """A fixed number of threads and one queue, first come, first served.

    Fairness follows from each utterance having at most one call in the queue.
    """

    def __init__(self, size: int) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._workers: set[_Worker] = set()
        self._closed = False
        self.num_unfinished = 0
        """Calls that wait for a thread, or run in one."""
        self.ended: Callable[[], None] = lambda: None
        """Called in the event loop when one of them has ended."""
        for _ in range(size):
            self._hire()

    @property
    def num_waiting(self) -> int:
        """Calls that no thread has taken up yet."""
        # A closed pool has one more in its queue, which ends its threads.
        return max(0, self._jobs.qsize() - self._closed)

    async def run(self, call: Callable[[], T], timeout_s: float) -> Done[T]:
        """Call in a thread; the timeout counts from when a thread takes it up.

        Raises:
            InferenceTimeoutError: the call took too long; its thread is given up and replaced.
            InferenceError: the call failed with anything that is not ours.
            ShuttingDownError: the pool was closed.
        """
        if self._closed:
            raise ShuttingDownError("the server is shutting down")
        loop = asyncio.get_running_loop()
        job = _Job(call, timeout_s, loop)
        job.timer = loop.call_later(timeout_s, self._check, job)
        self.num_unfinished += 1
        job.future.add_done_callback(self._count)
        self._jobs.put(job)
        outcome = await job.future
        if isinstance(outcome, SttError):
            raise outcome
        return outcome

    def close(self) -> None:
        """Let the threads end once the queue is empty; one that is stuck dies with the process.

        Idle threads are waited for, which takes no time: whatever they held is gone afterwards.
        """
        self._closed = True
        self._jobs.put(None)
        until = time.perf_counter() + CLOSE_S
        for worker in self._workers:
            worker.join(max(0.0, until - time.perf_counter()))

    def _count(self, _: object) -> None:
        self.num_unfinished -= 1
        self.ended()

    def _hire(self) -> None:
        worker = _Worker(self._jobs)
        self._workers.add(worker)
        worker.start()

    def _check(self, job: _Job) -> None:
        """Give up a call that runs for too long, whether or not its caller is still there."""
        if job.finished:
            return
        left = job.timeout_s - job.running_s
        if left > 0 or job.worker is None:
            job.timer = job.loop.call_later(left, self._check, job)
            return
        job.worker.abandoned = True
        self._workers.discard(job.worker)
        self._hire()
        job.settle(InferenceTimeoutError(f"no answer from the model within {job.timeout_s:g} s"))
