"""A lifecycle without an engine around it, and models to put into it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from tests.support.engines import Stuck
from wyoming_stt.errors import InferenceError, ModelFileError
from wyoming_stt.lifecycle import Lifecycle, LifecycleOptions
from wyoming_stt.loading import LoadedModel, ModelSource
from wyoming_stt.model_state import ModelState
from wyoming_stt.models.base import Recognizer
from wyoming_stt.models.families.fake import FakeRecognizer

__all__ = [
    "FAILED",
    "Mended",
    "broken",
    "lifecycle_of",
    "source",
    "states",
    "stuck_source",
    "utter",
]

FAILED = InferenceError("the model failed: ValueError: odd")


def source(name: str, load: Callable[[], Recognizer] = FakeRecognizer) -> ModelSource:
    return ModelSource(name, load)


def broken(name: str = "broken") -> ModelSource:
    def load() -> Recognizer:
        raise ModelFileError(Path("encoder.onnx"), "an ONNX model", "nothing")

    return ModelSource(name, load)


def stuck_source(
    name: str, stuck: Stuck, load: Callable[[], Recognizer] = FakeRecognizer
) -> ModelSource:
    """A model that does not load before it is let go."""

    def load_later() -> Recognizer:
        stuck()
        return load()

    return ModelSource(name, load_later)


class Mended:
    """A model that fails to load until it is mended."""

    def __init__(self) -> None:
        self.whole = False
        self.loads = 0

    def __call__(self) -> Recognizer:
        self.loads += 1
        if not self.whole:
            raise ModelFileError(Path("encoder.onnx"), "an ONNX model", "nothing")
        return FakeRecognizer()


@contextlib.asynccontextmanager
async def lifecycle_of(
    chosen: ModelSource, fallback: ModelSource | None = None, **options: float
) -> AsyncIterator[Lifecycle]:
    before = asyncio.all_tasks()
    lifecycle = Lifecycle(chosen, fallback, LifecycleOptions(**options))
    yield lifecycle
    await lifecycle.close()
    left = asyncio.all_tasks() - before
    assert not left, left


def states(lifecycle: Lifecycle) -> list[ModelState]:
    return [transition.after for transition in lifecycle.record.transitions]


async def utter(lifecycle: Lifecycle, error: InferenceError | None = None) -> LoadedModel:
    model = await lifecycle.acquire()
    if error is None:
        lifecycle.succeeded(model)
    else:
        lifecycle.failed(model, error)
    lifecycle.release(model)
    return model
