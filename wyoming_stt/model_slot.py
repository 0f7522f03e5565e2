"""The place of the model that serves: another is loaded beside it, takes its place, and it goes.

What is to be there is for `lifecycle.py` to say.
"""

import asyncio
import logging

from wyoming_stt.errors import ModelError, ShuttingDownError
from wyoming_stt.lifecycle_options import LifecycleOptions
from wyoming_stt.loading import LoadedModel, ModelSource, load
from wyoming_stt.model_state import ModelState, StateRecord
from wyoming_stt.models.base import ModelInfo
from wyoming_stt.session import UtteranceOptions

__all__ = ["ModelSlot"]

_LOGGER = logging.getLogger(__name__)


class ModelSlot:
    """Holds one model, and puts it to sleep; those that old utterances still use are freed later.

    Whoever calls `load` or `install` holds the lock `exchange`.
    """

    def __init__(self, options: LifecycleOptions, expected: UtteranceOptions) -> None:
        self.active: LoadedModel | None = None
        self.info: ModelInfo | None = None
        """Facts about the model that is here, or that was here last."""
        self.record = StateRecord()
        self.exchange = asyncio.Lock()
        self._options = options
        self._expected = expected
        self._sleep: asyncio.TimerHandle | None = None

    @property
    def state(self) -> ModelState:
        """Where the model is."""
        return self.record.state

    def hold(self, model: LoadedModel) -> None:
        """Begin to use a model, which stays in memory until it is released."""
        model.users += 1
        self._stay_awake()

    def release(self, model: LoadedModel) -> None:
        """Let a model go; the last user of one that is not here any more frees it."""
        model.users -= 1
        if model.users:
            return
        if model is self.active:
            self._doze()
        else:
            model.free()

    async def load(self, source: ModelSource) -> LoadedModel:
        """Load and warm up a model beside the one that is here; then `install` or `discard` it.

        Raises:
            ModelError: it cannot be used.
            ShuttingDownError: the slot was closed.
        """
        self.refuse_if_closed()
        alone = self.active is None
        self.record.move(ModelState.LOADING if alone else ModelState.SWAPPING, source.name)
        try:
            model = await load(
                source,
                self._options.load_timeout_s,
                self._expected,
                lambda: self._note_loaded(source),
            )
        except (ModelError, asyncio.CancelledError) as error:
            if self.state is not ModelState.CLOSED:
                after = ModelState.ERROR if alone else ModelState.READY
                self._return_to(after, source.name, str(error))
            if isinstance(error, ModelError):
                self.record.fail(source.name, error.code, str(error))
            raise
        if self.state is ModelState.CLOSED:
            model.free()
        self.refuse_if_closed()
        return model

    def install(self, model: LoadedModel) -> None:
        """Let a model be here; the one before is freed by its last user."""
        old, self.active = self.active, model
        self.info = model.recognizer.info
        self.record.move(ModelState.READY, model.source.name)
        _LOGGER.info(
            "Model %s loaded in %.2f s, warm %.2f s later",
            model.source.name,
            model.load_s,
            model.warm_up_s,
        )
        if old is not None and not old.users:
            old.free()
        self._doze()

    def discard(self, model: LoadedModel) -> None:
        """Free a model that was loaded; the one that is here stays."""
        model.free()
        self._return_to(ModelState.READY, model.source.name, "not wanted yet")

    def unload(self) -> None:
        """Free the model as soon as nobody uses it; without effect during an exchange."""
        self._stay_awake()
        if self.state is not ModelState.READY or self.active is None:
            return
        model, self.active = self.active, None
        self.record.move(ModelState.UNLOADED, model.source.name)
        _LOGGER.info("Model %s unloaded", model.source.name)
        if not model.users:
            model.free()

    def close(self, name: str) -> None:
        """Load no more. Models are freed when their last user lets them go."""
        self._stay_awake()
        if self.state is not ModelState.CLOSED:
            self.record.move(ModelState.CLOSED, name)
        self.active = None

    def refuse_if_closed(self) -> None:
        """Raise ShuttingDownError after the end."""
        if self.state is ModelState.CLOSED:
            raise ShuttingDownError("the server is shutting down")

    def _note_loaded(self, source: ModelSource) -> None:
        if self.state is ModelState.LOADING:
            self.record.move(ModelState.WARMING_UP, source.name)

    def _return_to(self, state: ModelState, name: str, reason: str) -> None:
        """End an exchange that changed nothing."""
        self.record.move(state, name, reason)
        if self._sleep is None:
            self._doze()  # it may have been time to sleep meanwhile

    def _doze(self) -> None:
        """Unload the model when nobody has come for it for so long, or ever."""
        self._stay_awake()
        if self._options.unload_after_s and self.active is not None and not self.active.users:
            loop = asyncio.get_running_loop()
            self._sleep = loop.call_later(self._options.unload_after_s, self.unload)

    def _stay_awake(self) -> None:
        if self._sleep is not None:
            self._sleep.cancel()
            self._sleep = None
