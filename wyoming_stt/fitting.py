"""Loading a model only where it fits: the kernel does not refuse memory, it kills who took it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from wyoming_stt.errors import ModelTooLargeError
from wyoming_stt.memory import available_bytes
from wyoming_stt.models.base import Recognizer
from wyoming_stt.models.files import find
from wyoming_stt.models.registry import FAKE, load_model
from wyoming_stt.ort import OrtOptions

__all__ = ["MEMORY_FACTOR", "load_fitting"]

MEMORY_FACTOR: Final = 2.0
"""Memory of a loaded model by the size of its files: weights are packed for the processor beside
the copy that was read (the 3.3 M model of 5.2 MB takes 11 MB, `bench/memory.py`)."""


def load_fitting(
    model: Path | str, *, languages: Sequence[str], options: OrtOptions | None = None
) -> Recognizer:
    """Load a model that there is memory for; otherwise as `load_model`.

    Raises:
        ModelTooLargeError: it takes more than the machine, the container or a limit has left.
        ModelFileError, UnknownFamilyError: as `load_model`.
    """
    if str(model) != FAKE:
        _check_fits(Path(model))
    return load_model(model, languages=languages, options=options)


def _check_fits(folder: Path) -> None:
    left = available_bytes()
    needed = round(MEMORY_FACTOR * find(folder).num_bytes)
    if left is not None and needed > left:
        raise ModelTooLargeError(
            f"{folder}: takes about {needed >> 20} MiB of memory, and {left >> 20} MiB are left: "
            "raise the limit of the container, or choose a smaller model"
        )
