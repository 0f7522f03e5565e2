"""Which model serves: loads it, exchanges it, falls back, and lets it sleep.

    model = await lifecycle.acquire()       # whatever serves now, loaded if need be
    ...
    lifecycle.release(model)                # the last one out frees a model that was exchanged

Whoever holds a model keeps it: an utterance never changes model in its middle. Everything here
runs on the event loop; only loading takes a thread.
"""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from typing import Any, Final

from wyoming_stt.backoff import Backoff
from wyoming_stt.errors import (
    InferenceError,
    InferenceTimeoutError,
    ModelError,
    ModelNotReadyError,
    ShuttingDownError,
)
from wyoming_stt.lifecycle_options import LifecycleOptions
from wyoming_stt.loading import LoadedModel, ModelSource, load
from wyoming_stt.model_state import ModelState, StateRecord
from wyoming_stt.models.base import ModelInfo

__all__ = ["Lifecycle", "LifecycleOptions"]

_LOGGER = logging.getLogger(__name__)

_ON_DEMAND_S: Final = 1.0
"""An utterance has a failed model tried again at once, but not more often than this."""


class Lifecycle:
    """Owns the loaded models: the one that serves, and those that old utterances still hold."""

    def __init__(
        self, chosen: ModelSource, fallback: ModelSource | None, options: LifecycleOptions
    ) -> None:
        self.chosen = chosen
        self.fallback = fallback
        self.active: LoadedModel | None = None
        self.info: ModelInfo | None = None
        """Facts about the model that serves, or that served last."""
        self.record = StateRecord()
        self.error: ModelError = ModelNotReadyError("the model is not loaded")
        """Why the chosen model does not serve, while it does not."""
        self._options = options
        self._loading: asyncio.Task[None] | None = None
        self._exchange = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._retry = Backoff(options.retry_s, options.retry_max_s, self._try_again)
        self._sleep: asyncio.TimerHandle | None = None
        self._failed_at_s = float("-inf")
        self._overloaded = False

    @property
    def state(self) -> ModelState:
        """Where the model that serves is."""
        return self.record.state

    @property
    def is_loading(self) -> bool:
        """Whether there is no model yet, but one is on its way."""
        return self._loading is not None

    @property
    def on_fallback(self) -> bool:
        """Whether the fallback serves in place of the chosen model."""
        return self.active is not None and self.active.source is not self.chosen

    def start(self) -> None:
        """Begin to load, and return; without effect while loading, serving, or closed."""
        if self._loading is not None or self.active is not None or self.state is ModelState.CLOSED:
            return
        if asyncio.get_running_loop().time() - self._failed_at_s >= _ON_DEMAND_S:
            self._loading = asyncio.create_task(self._bring_up(), name="load model")

    async def ready(self) -> LoadedModel:
        """Wait for a model, loading one where none is. Callers share one load.

        Raises:
            ModelError: it cannot be loaded, or not in time.
            ShuttingDownError: the lifecycle was closed.
        """
        self._refuse_if_closed()
        self.start()
        if self._loading is not None:
            await self._wait(self._loading)
            self._refuse_if_closed()
        if self.active is None:
            # Raised again and again, it would remember the frames of all who were refused.
            raise self.error.with_traceback(None)
        return self.active

    async def acquire(self) -> LoadedModel:
        """Hold the model that serves; raises as `ready`."""
        model = await self.ready()
        model.users += 1
        self._stay_awake()
        return model

    def release(self, model: LoadedModel) -> None:
        """Let a model go; the last user of one that no longer serves frees it."""
        model.users -= 1
        if model.users:
            return
        if model is not self.active:
            model.free()
        elif self._options.unload_after_s:
            loop = asyncio.get_running_loop()
            self._stay_awake()
            self._sleep = loop.call_later(self._options.unload_after_s, self.unload)

    def succeeded(self, model: LoadedModel) -> None:
        """Note an utterance that the model decoded."""
        model.failures = 0
        if model.source is self.chosen:
            self._retry.reset()

    def failed(self, model: LoadedModel, error: InferenceError | InferenceTimeoutError) -> None:
        """Note an utterance that failed in the model; too many in a row bring in the fallback."""
        model.failures += 1
        self.record.fail(model.source.name, error.code, str(error))
        if model is not self.active or model.failures != self._options.max_failures:
            return
        count, name = model.failures, model.source.name
        _LOGGER.error("Model %s failed %d times in a row: %s", name, count, error)
        if model.source is self.chosen:
            self.error = ModelNotReadyError(f"{name} failed {count} times in a row: {error}")
            self._retry.later()
            if self.fallback is not None:
                self._spawn(self._try(self.fallback))

    async def swap(self, source: ModelSource) -> None:
        """Serve another model from now on; utterances that began with the old one keep it.

        Raises:
            ModelError: it cannot be loaded; the old model goes on serving.
        """
        self._refuse_if_closed()
        if self._loading is not None:
            await self._wait(self._loading)
        await self._activate(source)
        self.chosen = source
        self._retry.cancel()
        self._retry.reset()

    def unload(self) -> None:
        """Free the model as soon as nobody holds it; the next utterance loads it again."""
        if self.state is not ModelState.READY or self.active is None:
            return
        model, self.active = self.active, None
        self._retry.cancel()
        self.record.move(ModelState.UNLOADED, model.source.name)
        _LOGGER.info("Model %s unloaded", model.source.name)
        if not model.users:
            model.free()

    def set_overloaded(self, *, overloaded: bool) -> None:
        """Let the fallback serve while the chosen model is too slow for what is asked of it."""
        if overloaded == self._overloaded or self.fallback is None:
            return
        self._overloaded = overloaded
        if self.active is not None:
            self._spawn(self._try(self.fallback if overloaded else self.chosen))

    async def close(self) -> None:
        """Stop everything; models are freed when their last user lets them go."""
        self._retry.cancel()
        self._stay_awake()
        if self.state is not ModelState.CLOSED:
            self.record.move(ModelState.CLOSED, self.chosen.name)
        running = [task for task in (self._loading, *self._tasks) if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        self.active = None

    async def _bring_up(self) -> None:
        """Load the chosen model, or else the fallback."""
        try:
            if await self._try(self.chosen) or self.fallback is None:
                return
            _LOGGER.warning(
                "Model %s cannot be used, %s serves instead: %s",
                self.chosen.name,
                self.fallback.name,
                self.error,
            )
            await self._try(self.fallback)
        finally:
            self._loading = None

    def _try_again(self) -> None:
        """Return to the chosen model, unless something else is under way that will."""
        if self._loading is not None:
            self._retry.later()  # the fallback takes longer to load than the pause
        elif not self._overloaded and self.state is not ModelState.UNLOADED:
            self._spawn(self._try(self.chosen))

    async def _try(self, source: ModelSource) -> bool:
        """Activate; a failure is noted, and the chosen model is tried again later."""
        try:
            await self._activate(source)
        except ModelError as error:
            self._failed_at_s = asyncio.get_running_loop().time()
            if source is self.chosen:
                self.error = error
                self._retry.later()
            return False
        return True

    async def _activate(self, source: ModelSource) -> None:
        """Load a model beside the one that serves, and let it serve."""
        async with self._exchange:
            self._refuse_if_closed()
            alone = self.active is None
            self.record.move(ModelState.LOADING if alone else ModelState.SWAPPING, source.name)
            try:
                model = await load(
                    source, self._options.load_timeout_s, lambda: self._note_loaded(source)
                )
            except ModelError as error:
                after = ModelState.ERROR if alone else ModelState.READY
                self.record.move(after, source.name, str(error))
                self.record.fail(source.name, error.code, str(error))
                raise
            old, self.active = self.active, model
            self.info = source.identify(model.recognizer.info)
            self.record.move(ModelState.READY, source.name)
            _LOGGER.info(
                "Model %s loaded in %.2f s, warm %.2f s later",
                source.name,
                model.load_s,
                model.warm_up_s,
            )
            if old is not None and not old.users:
                old.free()

    def _note_loaded(self, source: ModelSource) -> None:
        if self.state is ModelState.LOADING:
            self.record.move(ModelState.WARMING_UP, source.name)

    async def _wait(self, loading: asyncio.Task[None]) -> None:
        try:
            async with asyncio.timeout(self._options.load_timeout_s):
                # The others who wait are not to suffer from one that is cancelled.
                await asyncio.wait([loading])
        except TimeoutError:
            raise ModelNotReadyError("the model is still loading; try again later") from None

    def _spawn(self, coroutine: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(_forget(coroutine))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _stay_awake(self) -> None:
        if self._sleep is not None:
            self._sleep.cancel()
            self._sleep = None

    def _refuse_if_closed(self) -> None:
        if self.state is ModelState.CLOSED:
            raise ShuttingDownError("the server is shutting down")


async def _forget(coroutine: Coroutine[Any, Any, object]) -> None:
    with contextlib.suppress(ShuttingDownError):
        await coroutine
