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
import logging
import os
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from typing import TypeVar

from wyoming_stt.audio.gate import VadOptions
from wyoming_stt.engine_options import EngineOptions
from wyoming_stt.errors import (
    LimitError,
    ModelError,
    ModelNotReadyError,
    OverloadedError,
    ShuttingDownError,
    SttError,
)
from wyoming_stt.events import Event
from wyoming_stt.models.base import ModelInfo, Recognizer
from wyoming_stt.session import Session, UtteranceOptions
from wyoming_stt.types import SAMPLE_RATE
from wyoming_stt.workers import WorkerPool

__all__ = [
    "Engine",
    "EngineOptions",
    "EngineState",
    "Lease",
    "LeaseStats",
    "LoadTimes",
    "UtteranceOptions",
]

T = TypeVar("T")

_LOGGER = logging.getLogger(__name__)


class EngineState(Enum):
    """Whether the engine can decode."""

    LOADING = auto()
    READY = auto()
    ERROR = auto()
    CLOSED = auto()


@dataclass(slots=True)
class LeaseStats:
    """What an utterance has cost so far, in seconds."""

    audio_s: float = 0.0
    queue_s: float = 0.0
    decode_s: float = 0.0

    @property
    def rtf(self) -> float:
        """Processing time by audio time; 0 before any audio."""
        return self.decode_s / self.audio_s if self.audio_s else 0.0


@dataclass(frozen=True, slots=True)
class LoadTimes:
    """How long the model took to be of use, in seconds."""

    load_s: float
    """To read the weights."""
    warm_up_s: float
    """To run the whole path once."""


class Engine:
    """Loads one model and decodes the utterances of all doors on it."""

    def __init__(self, load: Callable[[], Recognizer], options: EngineOptions) -> None:
        self.options = options
        self.state = EngineState.LOADING
        self.load_times: LoadTimes | None = None
        """Known once the model is loaded."""
        self._load = load
        self._recognizer: Recognizer | None = None
        self._error: ModelError = ModelNotReadyError("the model is not loaded")
        self._settled = asyncio.Event()
        self._loading: asyncio.Task[None] | None = None
        self._pool = WorkerPool(options.workers or len(os.sched_getaffinity(0)))
        self._places = asyncio.Semaphore(options.max_utterances)
        self._taken = 0
        self._waiting = 0

    @property
    def info(self) -> ModelInfo | None:
        """Facts about the model, once it is loaded."""
        return self._recognizer.info if self._recognizer is not None else None

    @property
    def free_places(self) -> int:
        """How many utterances would be admitted at once."""
        return 0 if self._places.locked() else self.options.max_utterances - self._taken

    async def start(self) -> None:
        """Begin to load the model, and return."""
        self._loading = asyncio.create_task(self._start(), name="load model")

    async def ready(self) -> Recognizer:
        """Wait for the model.

        Raises:
            ModelError: it cannot be loaded, or not within `ready_timeout_s`.
            ShuttingDownError: the engine was closed.
        """
        try:
            async with asyncio.timeout(self.options.ready_timeout_s):
                await self._settled.wait()
        except TimeoutError:
            raise ModelNotReadyError("the model is still loading; try again later") from None
        self._refuse_if_closed()
        if self._recognizer is None:
            # Raised again and again, it would remember the frames of all who were refused.
            raise self._error.with_traceback(None)
        return self._recognizer

    async def close(self) -> None:
        """Refuse everything from now on. Leases that are open fail at their next call."""
        self.state = EngineState.CLOSED
        self._settled.set()
        if self._loading is not None:
            self._loading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._loading
        self._pool.close()

    @contextlib.asynccontextmanager
    async def open(
        self, options: UtteranceOptions, *, wait_s: float | None = None
    ) -> AsyncIterator["Lease"]:
        """Take a place for one utterance; leaving the block frees it, whatever happened.

        Args:
            options: how to listen.
            wait_s: longest wait for a place, where it is not `admission_timeout_s`.

        Raises:
            OverloadedError: all places are taken, and the waiting room too, or for too long.
            ShuttingDownError: the engine was closed.
        """
        self._refuse_if_closed()
        await self._admit(self.options.admission_timeout_s if wait_s is None else wait_s)
        self._taken += 1
        try:
            self._refuse_if_closed()
            yield Lease(self, self._pool, options)
        finally:
            self._taken -= 1
            self._places.release()

    async def _admit(self, wait_s: float) -> None:
        if self._places.locked() and self._waiting >= self.options.max_waiting:
            raise OverloadedError(
                f"{self.options.max_utterances} utterances are being decoded and "
                f"{self._waiting} are waiting; try again later"
            )
        self._waiting += 1
        try:
            async with asyncio.timeout(wait_s):
                await self._places.acquire()
        except TimeoutError:
            raise OverloadedError("no place became free in time; try again later") from None
        finally:
            self._waiting -= 1

    def _refuse_if_closed(self) -> None:
        if self.state is EngineState.CLOSED:
            raise ShuttingDownError("the server is shutting down")

    async def _start(self) -> None:
        try:
            self._recognizer, self.load_times = await self._load_in_thread()
        except ModelError as error:
            self.state, self._error = EngineState.ERROR, error
        except SttError as error:
            self.state = EngineState.ERROR
            self._error = ModelNotReadyError(f"the model could not be made ready: {error}")
        else:
            self.state = EngineState.READY
            duration = self.load_times.load_s + self.load_times.warm_up_s
            _LOGGER.info("model %s loaded in %.2f s", self._recognizer.info.name, duration)
        self._settled.set()

    async def _load_in_thread(self) -> tuple[Recognizer, LoadTimes]:
        """Use a thread of its own: loading may take longer than any inference call may."""
        pool = WorkerPool(1)
        try:
            load = partial(_load_and_warm_up, self._load)
            return (await pool.run(load, self.options.ready_timeout_s)).value
        finally:
            pool.close()


class Lease:
    """One utterance's hold on the engine. Its calls must not overlap."""

    def __init__(self, engine: Engine, pool: WorkerPool, options: UtteranceOptions) -> None:
        self.stats = LeaseStats()
        self._engine = engine
        self._pool = pool
        self._options = options
        self._session: Session | None = None
        self._kept = bytearray()  # audio that waits for more, or for the model
        self._gather_bytes = options.format.seconds_to_bytes(engine.options.gather_s)
        self._slice_bytes = options.format.seconds_to_bytes(engine.options.slice_s)
        self._left = options.format.seconds_to_bytes(engine.options.max_utterance_s)

    async def accept(self, pcm: bytes) -> list[Event]:
        """Decode audio; before the model is ready, keep it.

        Raises:
            LimitError: the utterance is longer than `max_utterance_s`.
            ModelError: the model could not be loaded.
            InferenceTimeoutError, InferenceError: the model failed on this utterance.
        """
        self._left -= len(pcm)
        if self._left < 0:
            limit = f"{self._engine.options.max_utterance_s:g} s"
            raise LimitError("the utterance is too long", limit, "engine.max_utterance_s")
        self.stats.audio_s += len(pcm) / self._options.format.seconds_to_bytes(1)
        self._kept += pcm
        if self._engine.state is EngineState.LOADING:
            most = self._engine.options.max_kept_bytes
            if len(self._kept) > most:
                what = "the model is still loading, and more audio cannot be kept"
                raise LimitError(what, f"{most} bytes", "engine.max_kept_bytes")
            return []
        if len(self._kept) < self._gather_bytes:
            return []
        return await self._decode()

    async def finish(self) -> list[Event]:
        """Decode what is left; the last event is the final transcript.

        Raises:
            The same as `accept`, and ModelNotReadyError where the model loads for too long.
        """
        return await self._decode(last=True)

    async def _decode(self, *, last: bool = False) -> list[Event]:
        session = await self._open()
        pcm, self._kept = bytes(self._kept), bytearray()
        slices = [pcm[i : i + self._slice_bytes] for i in range(0, len(pcm), self._slice_bytes)]
        # Someone waits for the end, so it goes to a thread together with the audio before it.
        rest = slices.pop() if last and slices else b""
        events: list[Event] = []
        for piece in slices:
            events += await self._run(partial(session.accept, piece))
        if last:
            events += await self._run(lambda: session.accept(rest) + session.finish())
        return events

    async def _open(self) -> Session:
        if self._session is None:
            recognizer = await self._engine.ready()
            self._session = await self._run(lambda: Session(recognizer, self._options))
        return self._session

    async def _run(self, call: Callable[[], T]) -> T:
        done = await self._pool.run(call, self._engine.options.inference_timeout_s)
        self.stats.queue_s += done.queue_s
        self.stats.decode_s += done.run_s
        return done.value


def _load_and_warm_up(load: Callable[[], Recognizer]) -> tuple[Recognizer, LoadTimes]:
    """Load the weights and run the whole path once, so that the first speaker does not wait.

    A hum rather than zeros, and no gate: the encoder and the search must really run.
    """
    started = time.perf_counter()
    recognizer = load()
    loaded = time.perf_counter()
    session = Session(recognizer, UtteranceOptions(vad=VadOptions(kind="off")))
    session.accept(bytes(range(64)) * (SAMPLE_RATE // 32))
    session.finish()
    return recognizer, LoadTimes(loaded - started, time.perf_counter() - loaded)
