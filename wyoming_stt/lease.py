"""One utterance's hold on the engine: audio in, events out, decoded in a thread."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from wyoming_stt.background import Background, NoRelief
from wyoming_stt.engine_options import EngineOptions
from wyoming_stt.errors import InferenceError, InferenceTimeoutError, LimitError
from wyoming_stt.events import Event
from wyoming_stt.lifecycle import Lifecycle
from wyoming_stt.loading import LoadedModel
from wyoming_stt.relief import Relief
from wyoming_stt.session import Session, UtteranceOptions
from wyoming_stt.types import SAMPLE_RATE
from wyoming_stt.workers import WorkerPool

__all__ = ["Lease", "LeaseStats"]

T = TypeVar("T")


@dataclass(slots=True)
class LeaseStats:
    """What an utterance has cost so far, in seconds."""

    audio_s: float = 0.0
    queue_s: float = 0.0
    """Waiting: for a place, and for a thread that decodes."""
    decode_s: float = 0.0
    skipped_s: float = 0.0
    """Audio that was not decoded, since nobody spoke in it."""

    @property
    def rtf(self) -> float:
        """Processing time by audio time; 0 before any audio."""
        return self.decode_s / self.audio_s if self.audio_s else 0.0


class Lease:
    """Made by `Engine.open`, which also releases it. Its calls must not overlap."""

    def __init__(
        self,
        lifecycle: Lifecycle,
        relief: Relief | NoRelief,
        pool: WorkerPool | Background,
        limits: EngineOptions,
        options: UtteranceOptions,
        *,
        judges: bool = True,
    ) -> None:
        """Hold nothing yet.

        Args:
            lifecycle: has the model.
            relief: says what to do without while there is much to do.
            pool: decodes.
            limits: of an utterance.
            options: how to listen.
            judges: whether what becomes of it says something about the model.
        """
        self.stats = LeaseStats()
        self._lifecycle = lifecycle
        self._relief = relief
        self._pool = pool
        self._limits = limits
        self._judges = judges
        self._options = relief.applied(options)
        self._model: LoadedModel | None = None
        self._session: Session | None = None
        self._kept = bytearray()  # audio that waits for more, or for the model
        self._second_bytes = options.format.seconds_to_bytes(1)
        self._gather_bytes = options.format.seconds_to_bytes(relief.gathered_s(limits.gather_s))
        self._slice_bytes = options.format.seconds_to_bytes(limits.slice_s)
        self._left = options.format.seconds_to_bytes(limits.max_utterance_s)

    @property
    def model(self) -> str | None:
        """Name of the model that decodes; None before it was needed."""
        return self._model.source.name if self._model is not None else None

    async def accept(self, pcm: bytes) -> list[Event]:
        """Decode audio; before the model is ready, keep it.

        Raises:
            LimitError: the utterance is longer than `max_utterance_s`.
            ModelError: the model could not be loaded.
            InferenceTimeoutError, InferenceError: the model failed on this utterance.
        """
        self._left -= len(pcm)
        if self._left < 0:
            limit = f"{self._limits.max_utterance_s:g} s"
            raise LimitError("the utterance is too long", limit, "engine.max_utterance_s")
        self.stats.audio_s += len(pcm) / self._second_bytes
        self._kept += pcm
        if self._must_wait():
            if len(self._kept) > self._limits.max_kept_bytes:
                what = "the model is still loading, and more audio cannot be kept"
                limit = f"{self._limits.max_kept_bytes} bytes"
                raise LimitError(what, limit, "engine.max_kept_bytes")
            return []
        if len(self._kept) < self._gather_bytes:
            return []
        return await self._decode()

    async def finish(self) -> list[Event]:
        """Decode what is left; the last event is the final transcript.

        Raises:
            The same as `accept`, and ModelNotReadyError where the model loads for too long.
        """
        events = await self._decode(last=True)
        if self._model is not None and self._judges:
            self._lifecycle.succeeded(self._model)
        return events

    def release(self) -> None:
        """Let the model go, and all that the utterance held. May be called at any time."""
        self._session = None
        if self._model is not None:
            self._lifecycle.release(self._model)
            self._model = None

    def _must_wait(self) -> bool:
        """Whether a model is on its way; where none is, this sends for one."""
        if self._session is not None:
            return False
        self._lifecycle.start()
        return self._lifecycle.is_loading

    async def _decode(self, *, last: bool = False) -> list[Event]:
        session = await self._open()
        pcm, self._kept = bytes(self._kept), bytearray()
        slices = [pcm[i : i + self._slice_bytes] for i in range(0, len(pcm), self._slice_bytes)]
        # Someone waits for the end, so it goes to a thread together with the audio before it.
        rest = slices.pop() if last and slices else b""
        events: list[Event] = []
        for piece in slices:
            events += await self._run(partial(session.accept, piece), len(piece))
        if last:
            events += await self._run(lambda: session.accept(rest) + session.finish(), len(rest))
        self.stats.skipped_s = session.num_skipped / SAMPLE_RATE
        return events

    async def _open(self) -> Session:
        if self._session is None:
            self._model = await self._lifecycle.acquire()
            recognizer = self._model.recognizer
            self._session = await self._run(lambda: Session(recognizer, self._options))
        return self._session

    async def _run(self, call: Callable[[], T], num_bytes: int = 0) -> T:
        try:
            done = await self._pool.run(call, self._limits.inference_timeout_s)
        except (InferenceError, InferenceTimeoutError) as error:
            if self._model is not None and self._judges:
                self._lifecycle.failed(self._model, error)
            raise
        self.stats.queue_s += done.queue_s
        self.stats.decode_s += done.run_s
        self._relief.record(num_bytes / self._second_bytes, done.run_s, done.queue_s)
        return done.value
