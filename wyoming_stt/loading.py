"""Bringing weights into memory, and giving them up."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from wyoming_stt.audio.vad import VADS
from wyoming_stt.errors import InferenceTimeoutError, ModelError, ModelNotReadyError, SttError
from wyoming_stt.memory import release_memory, resident_bytes
from wyoming_stt.models.base import Recognizer
from wyoming_stt.session import Session, UtteranceOptions
from wyoming_stt.types import SAMPLE_RATE
from wyoming_stt.workers import WorkerPool

__all__ = ["LoadedModel", "ModelSource", "load"]


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A model that can be loaded."""

    name: str
    load: Callable[[], Recognizer]
    """Runs in a thread; raises ModelError."""


@dataclass(slots=True, eq=False)
class LoadedModel:
    """Weights in memory, and who uses them."""

    source: ModelSource
    recognizer: Recognizer
    load_s: float
    warm_up_s: float
    memory_bytes: int
    """What the process grew by; an estimate while others load or decode."""
    users: int = 0
    failures: int = 0
    """Utterances in a row that failed in it."""

    def free(self) -> None:
        """Drop the weights and return their memory to the system; nobody may use them now."""
        del self.recognizer
        release_memory()


async def load(
    source: ModelSource,
    timeout_s: float,
    expected: UtteranceOptions,
    on_loaded: Callable[[], None],
) -> LoadedModel:
    """Load and warm up, in a thread of its own: it may take longer than any inference call may.

    Args:
        source: The model.
        timeout_s: Longest load, and longest warm-up.
        expected: How utterances will be listened to.
        on_loaded: Called on the event loop before the warm-up.

    Raises:
        ModelError: the model cannot be used.
        ShuttingDownError: the loop goes away.
    """
    pool, before = WorkerPool(1), resident_bytes()
    try:
        loaded = await pool.run(source.load, timeout_s)
        on_loaded()
        warmed = await pool.run(partial(_warm_up, loaded.value, expected), timeout_s)
    except ModelError:
        raise
    except InferenceTimeoutError as error:  # a slow card: it may well load the next time
        raise ModelNotReadyError(f"the model could not be made ready: {error}") from error
    except SttError as error:
        raise ModelError(f"the model could not be made ready: {error}") from error
    finally:
        pool.close()
    grown = max(0, resident_bytes() - before)
    return LoadedModel(source, loaded.value, loaded.run_s, warmed.run_s, grown)


def _warm_up(recognizer: Recognizer, expected: UtteranceOptions) -> None:
    """Run the whole path once, so that the first speaker does not wait.

    A hum rather than zeros, and neither gate nor endpoint: the encoder and the search must really
    run, with their hotwords. The detector in front of them only has to be imported.
    """
    if expected.vad.kind != "off":
        detector = VADS[expected.vad.kind](expected.vad.sensitivity)
        detector.speech_prob(np.zeros(detector.frame_samples, np.float32))
    open_gate = replace(expected.vad, kind="off")
    session = Session(recognizer, replace(expected, vad=open_gate, endpoint=None))
    session.accept(bytes(range(64)) * (SAMPLE_RATE // 32))
    session.finish()
