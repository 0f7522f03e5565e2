"""Which model serves: loads it, exchanges it, falls back, and lets it sleep.

    model = await lifecycle.acquire()       # whatever serves now, loaded if need be
    ...
    lifecycle.release(model)                # the last one out frees a model that was exchanged

Whoever holds a model keeps it: an utterance never changes model in its middle. Everything here
runs on the event loop; only loading takes a thread. Models are exchanged one at a time, and what is
wanted is asked when it is a model's turn: what was wanted before may be so no longer.
"""

import asyncio
import contextlib
import logging
from typing import Final

from wyoming_stt.backoff import Backoff
from wyoming_stt.errors import (
    InferenceError,
    InferenceTimeoutError,
    ModelError,
    ModelNotReadyError,
    ShuttingDownError,
)
from wyoming_stt.lifecycle_options import LifecycleOptions
from wyoming_stt.loading import LoadedModel, ModelSource
from wyoming_stt.model_slot import ModelSlot
from wyoming_stt.model_state import ModelState, StateRecord
from wyoming_stt.models.base import ModelInfo
from wyoming_stt.session import UtteranceOptions

__all__ = ["Lifecycle", "LifecycleOptions"]

_LOGGER = logging.getLogger(__name__)

_ON_DEMAND_S: Final = 1.0
"""An utterance has a failed model tried again at once, but not more often than this."""


class Lifecycle:
    """Owns the loaded models: the one that serves, and those that old utterances still hold."""

    def __init__(
        self,
        chosen: ModelSource,
        last_resort: ModelSource | None,
        options: LifecycleOptions,
        expected: UtteranceOptions | None = None,
    ) -> None:
        self.chosen = chosen
        self.error: ModelError | None = None
        """Why the chosen model cannot serve; None while that is not known."""
        self.cannot_load = asyncio.Event()
        """Set whenever the chosen model could not be loaded: somebody may know how to mend that."""
        self._last_resort = last_resort
        self._options = options
        self._slot = ModelSlot(options, expected or UtteranceOptions())
        self._loading: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._retry = Backoff(options.retry_s, options.retry_max_s, self._try_again)
        self._failed_at_s = float("-inf")
        self._overloaded = False

    @property
    def active(self) -> LoadedModel | None:
        """The model that serves."""
        return self._slot.active

    @property
    def info(self) -> ModelInfo | None:
        """Facts about the model that serves, or that served last."""
        return self._slot.info

    @property
    def record(self) -> StateRecord:
        """The states it went through, and what went wrong."""
        return self._slot.record

    @property
    def state(self) -> ModelState:
        """Where the model that serves is."""
        return self._slot.state

    @property
    def is_loading(self) -> bool:
        """Whether there is no model yet, but one is on its way."""
        return self._loading is not None

    @property
    def fallback(self) -> ModelSource | None:
        """What serves where the chosen model cannot: the last resort, unless that is chosen."""
        return None if self._last_resort == self.chosen else self._last_resort

    @property
    def on_fallback(self) -> bool:
        """Whether another model serves in place of the chosen one."""
        return self.active is not None and self.active.source != self.chosen

    @property
    def reason(self) -> str | None:
        """Why the chosen model does not serve as it should; None while it does, sleeps or loads."""
        if self.error is not None and (self.active is not None or self.state is ModelState.ERROR):
            return str(self.error)
        if not self.on_fallback:
            return None
        if self._overloaded:
            return f"{self.chosen.name} is too slow for all that is asked of it at the same time"
        return f"{self.chosen.name} is about to serve again"

    def start(self) -> None:
        """Begin to load, and return; without effect while loading, serving, or closed."""
        if self._loading is not None or self.active is not None or self.state is ModelState.CLOSED:
            return
        if asyncio.get_running_loop().time() - self._failed_at_s >= _ON_DEMAND_S:
            self._bring_up()

    async def ready(self) -> LoadedModel:
        """Wait for a model, loading one where none is. Callers share one load.

        Raises:
            ModelError: it cannot be loaded, or not in time.
            ShuttingDownError: the lifecycle was closed.
        """
        self.start()
        await self._load_ended()
        self._slot.refuse_if_closed()
        if self.active is None:
            error = self.error or ModelNotReadyError("the model is not loaded")
            # Raised again and again, it would remember the frames of all who were refused.
            raise error.with_traceback(None)
        return self.active

    async def acquire(self) -> LoadedModel:
        """Hold the model that serves; raises as `ready`."""
        model = await self.ready()
        self._slot.hold(model)
        return model

    def release(self, model: LoadedModel) -> None:
        """Let a model go; the last user of one that no longer serves frees it."""
        self._slot.release(model)

    def succeeded(self, model: LoadedModel) -> None:
        """Note an utterance that the model decoded."""
        model.failures = 0
        if model.source == self.chosen:
            self._retry.reset()
            if model is self.active:
                self.error = None

    def failed(self, model: LoadedModel, error: InferenceError | InferenceTimeoutError) -> None:
        """Note an utterance that failed in the model; too many in a row bring in the fallback."""
        model.failures += 1
        self.record.fail(model.source.name, error.code, str(error))
        if model is not self.active or model.failures != self._options.max_failures:
            return
        count, name = model.failures, model.source.name
        _LOGGER.error("Model %s failed %d times in a row: %s", name, count, error)
        if model.source == self.chosen:
            self.error = ModelError(f"{name} failed {count} times in a row: {error}")
            self._retry.later()
            if self.fallback is not None:
                self._resettle()

    async def swap(self, source: ModelSource) -> None:
        """Choose another model, from now on; utterances that began with the old one keep it.

        Under overload the fallback goes on serving, and the new one follows when there is calm.

        Raises:
            ModelError: it cannot be loaded; the old model goes on serving.
        """
        await self._load_ended()
        async with self._slot.exchange:
            try:
                model = await self._slot.load(source)
            except ModelError:
                self.start()  # where no model was loaded, there is none to go on serving
                raise
            self.chosen, self.error = source, None
            self._retry.cancel()
            self._retry.reset()
            wanted = self._wanted()
            if wanted != source and self.active is not None and self.active.source == wanted:
                self._slot.discard(model)
                _LOGGER.info("Model %s is chosen, and waits for less to do", source.name)
            else:
                self._install(model)

    async def unload(self, name: str) -> None:
        """Free a model as soon as nobody holds it; the next utterance loads it again.

        An exchange that is under way is waited for; what does not serve after it is freed anyway.
        """
        async with self._slot.exchange:
            if self.active is not None and self.active.source.name == name:
                self._slot.unload()

    def set_overloaded(self, *, overloaded: bool) -> None:
        """Let the fallback serve while the chosen model is too slow for what is asked of it."""
        if overloaded != self._overloaded:
            self._overloaded = overloaded
            self._resettle(again=not overloaded)

    async def close(self) -> None:
        """Stop everything; models are freed when their last user lets them go."""
        self._retry.cancel()
        self._slot.close(self.chosen.name)
        running = [task for task in (self._loading, *self._tasks) if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _bring_up(self) -> None:
        """Load a model where there is none; all who come meanwhile wait for this load."""

        async def bring_up() -> None:
            try:
                await self._settle(again=True)
            finally:
                self._loading = None

        self._loading = asyncio.create_task(bring_up(), name="load model")

    def _try_again(self) -> None:
        """Return to the chosen model, unless something else is under way that will."""
        if self._loading is not None:
            self._retry.later()  # the fallback takes longer to load than the pause
        elif self.state is ModelState.UNLOADED:
            return  # whoever wakes it up begins with the chosen model
        elif self.active is None:
            self._bring_up()
        elif not self._overloaded:
            self._resettle(again=True)

    def _resettle(self, *, again: bool = False) -> None:
        task = asyncio.create_task(self._settle(again=again), name="exchange model")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _settle(self, *, again: bool = False) -> None:
        """Let serve what is wanted by now, or else whatever can.

        Args:
            again: give the chosen model another chance if it could not serve.
        """
        with contextlib.suppress(ShuttingDownError):
            async with self._slot.exchange:
                if self.active is None and self._loading is None:
                    return  # it sleeps: the next utterance loads what is wanted then
                wanted = self._wanted(again=again)
                if self._is_well(wanted) or await self._try(wanted) or self.active is not None:
                    return
                other = self.chosen if wanted == self.fallback else self.fallback
                if other is not None:
                    why = self.record.failures[-1].message
                    _LOGGER.warning("%s fails; %s serves instead: %s", wanted.name, other.name, why)
                    await self._try(other)

    def _wanted(self, *, again: bool = False) -> ModelSource:
        """Return what is to serve as things are."""
        makes_do = self._overloaded or (self.error is not None and not again)
        return self.fallback if makes_do and self.fallback is not None else self.chosen

    def _is_well(self, source: ModelSource) -> bool:
        """Whether it serves, and does not fail at it."""
        model = self.active
        if model is None or model.source != source:
            return False
        return model.failures < self._options.max_failures

    async def _try(self, source: ModelSource) -> bool:
        """Load and install; a failure is noted, and the chosen model is tried again later."""
        try:
            self._install(await self._slot.load(source))
        except ModelError as error:
            self._failed_at_s = asyncio.get_running_loop().time()
            if source == self.chosen:
                self.error = error
                self._retry.later()
                self.cannot_load.set()
            return False
        return True

    def _install(self, model: LoadedModel) -> None:
        """Let a model serve; where it is the chosen one, all is well."""
        self._slot.install(model)
        if model.source == self.chosen:
            self.error = None
            self._retry.cancel()

    async def _load_ended(self) -> None:
        if self._loading is None:
            return
        try:
            async with asyncio.timeout(self._options.load_timeout_s):
                # The others who wait are not to suffer from one that is cancelled.
                await asyncio.wait([self._loading])
        except TimeoutError:
            raise ModelNotReadyError("the model is still loading; try again later") from None
