"""The owner of the loaded model, and the only place where the event loop meets threads.

    async with engine.open(options) as lease:
        events = await lease.accept(pcm)    # again and again
        events = await lease.finish()

The engine is open from its first moment: audio that comes while the model still loads is kept and
decoded when it is ready. A model too slow for its callers makes `accept` take longer, which is all
the back-pressure there is.
"""

import asyncio
import contextlib
import math
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from wyoming_stt.background import Background, NoRelief
from wyoming_stt.degrade import DegradeOptions
from wyoming_stt.engine_options import EngineOptions
from wyoming_stt.errors import OverloadedError, ShuttingDownError
from wyoming_stt.lease import Lease, LeaseStats
from wyoming_stt.lifecycle import Lifecycle, LifecycleOptions
from wyoming_stt.loading import ModelSource
from wyoming_stt.model_state import ModelState
from wyoming_stt.models.base import ModelInfo, Recognizer
from wyoming_stt.relief import Relief
from wyoming_stt.session import UtteranceOptions
from wyoming_stt.workers import WorkerPool

__all__ = [
    "Engine",
    "EngineOptions",
    "Lease",
    "LeaseStats",
    "LoadTimes",
    "ModelSource",
    "ModelState",
    "UtteranceOptions",
]


@dataclass(frozen=True, slots=True)
class LoadTimes:
    """How long the model took to be of use, in seconds."""

    load_s: float
    """To read the weights."""
    warm_up_s: float
    """To run the whole path once."""


class Engine:
    """Serves one model, or another in its place, to the utterances of all doors."""

    def __init__(
        self,
        chosen: ModelSource,
        options: EngineOptions,
        *,
        fallback: ModelSource | None = None,
        lifecycle: LifecycleOptions | None = None,
        degrade: DegradeOptions | None = None,
        expected: UtteranceOptions | None = None,
    ) -> None:
        """Load nothing yet.

        Args:
            chosen: The model to serve.
            options: How many utterances at once, and within which limits.
            fallback: What serves where the chosen model cannot, or whichever takes its place.
            lifecycle: How patient to be with a model.
            degrade: When to do without something under load.
            expected: How most utterances will be listened to: models are warmed up for them.
        """
        self.options = options
        self.lifecycle = Lifecycle(chosen, fallback, lifecycle or LifecycleOptions(), expected)
        num_threads = options.workers or len(os.sched_getaffinity(0))
        self.relief = Relief(degrade or DegradeOptions(), self.lifecycle, num_threads)
        self._pool = WorkerPool(num_threads)
        self._background = Background(self._pool, num_threads)
        self._places = asyncio.Semaphore(options.max_utterances)
        self._taken = 0
        self._waiting: set[asyncio.Timeout] = set()
        self._turns_away = False

    @property
    def state(self) -> ModelState:
        """Where the model that serves is."""
        return self.lifecycle.state

    @property
    def info(self) -> ModelInfo | None:
        """Facts about the model, once one was loaded."""
        return self.lifecycle.info

    @property
    def load_times(self) -> LoadTimes | None:
        """How long the model that serves took, once it is loaded."""
        model = self.lifecycle.active
        return LoadTimes(model.load_s, model.warm_up_s) if model is not None else None

    @property
    def free_places(self) -> int:
        """How many utterances would be admitted at once."""
        return 0 if self._places.locked() else self.options.max_utterances - self._taken

    @property
    def queue_depth(self) -> int:
        """How many utterances wait: for a place, or for a thread that decodes them."""
        return len(self._waiting) + self._pool.num_waiting

    async def start(self) -> None:
        """Begin to load the model, and return."""
        self.lifecycle.start()

    async def ready(self) -> Recognizer:
        """Wait for the model.

        Raises:
            ModelError: it cannot be loaded, or not in time.
            ShuttingDownError: the engine was closed.
        """
        return (await self.lifecycle.ready()).recognizer

    def turn_away(self) -> None:
        """Let nobody wait for a place from now on: the server stops, and their time is up."""
        self._turns_away = True
        for patience in self._waiting:
            patience.reschedule(0)

    async def close(self) -> None:
        """Refuse everything from now on. Leases that are open fail at their next call."""
        self.relief.close()
        await self.lifecycle.close()
        self._background.close()
        self._pool.close()

    @contextlib.asynccontextmanager
    async def open(
        self, options: UtteranceOptions, *, wait_s: float | None = None
    ) -> AsyncIterator[Lease]:
        """Take a place for one utterance; leaving the block frees it, whatever happened.

        Args:
            options: how to listen.
            wait_s: longest wait for a place, where it is not `admission_timeout_s`. With `math.inf`
                a full waiting room does not matter either: for what has begun, and will go on.

        Raises:
            OverloadedError: all places are taken, and the waiting room too, or for too long.
            ShuttingDownError: the engine was closed, or turned away whoever waited.
        """
        self._refuse_if_closed()
        came = time.perf_counter()
        await self._admit(self.options.admission_timeout_s if wait_s is None else wait_s)
        self._taken += 1
        try:
            self._refuse_if_closed()
            lease = Lease(self.lifecycle, self.relief, self._pool, self.options, options)
            lease.stats.queue_s = time.perf_counter() - came
            try:
                yield lease
            finally:
                lease.release()
        finally:
            self._taken -= 1
            self._places.release()

    @contextlib.asynccontextmanager
    async def open_background(self, options: UtteranceOptions) -> AsyncIterator[Lease]:
        """Begin an utterance that nobody waits for: it takes no place, and only idle moments.

        Where the model fails on it, that says nothing of the model: it is tried again and again,
        and must not take the model away from those who speak.

        Raises:
            ShuttingDownError: the engine was closed.
        """
        self._refuse_if_closed()
        lease = Lease(
            self.lifecycle, NoRelief(), self._background, self.options, options, judges=False
        )
        try:
            yield lease
        finally:
            lease.release()

    async def until_idle(self) -> None:
        """Wait for a moment in which a thread has nothing to do: for what else nobody waits for."""
        await self._background.until_idle()

    async def _admit(self, wait_s: float) -> None:
        is_locked = self._places.locked()
        if is_locked and self._turns_away:
            raise ShuttingDownError("the server is shutting down")
        if is_locked and len(self._waiting) >= self.options.max_waiting and wait_s < math.inf:
            raise OverloadedError(
                f"{self.options.max_utterances} utterances are being decoded and "
                f"{len(self._waiting)} are waiting; try again later"
            )
        came = time.perf_counter()
        patience = asyncio.timeout(wait_s)
        try:
            async with patience:
                self._waiting.add(patience)
                await self._places.acquire()
        except TimeoutError:
            if self._turns_away:
                raise ShuttingDownError("the server is shutting down") from None
            raise OverloadedError("no place became free in time; try again later") from None
        finally:
            self._waiting.discard(patience)
            if wait_s < math.inf:  # who waits for as long as it takes is in no hurry
                self.relief.record_admission(time.perf_counter() - came)

    def _refuse_if_closed(self) -> None:
        if self.state is ModelState.CLOSED:
            raise ShuttingDownError("the server is shutting down")
