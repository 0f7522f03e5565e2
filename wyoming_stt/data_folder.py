"""Where this program keeps what it downloads and remembers."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_data_path

from wyoming_stt.hardware import detect
from wyoming_stt.ort import OrtOptions
from wyoming_stt.store import ModelStore

if TYPE_CHECKING:
    from wyoming_stt.settings import Settings

__all__ = ["data_folder", "open_store", "ort_options"]


def data_folder(settings: "Settings") -> Path:
    """Return the folder of the setting `data_dir`, or the platform's place for user data."""
    if settings.data_dir is not None:
        return settings.data_dir.expanduser()
    return user_data_path("wyoming-stt", appauthor=False)


def ort_options(settings: "Settings") -> OrtOptions:
    """Return how onnxruntime runs a model, with a place to keep what it optimised.

    An optimised graph is for one kind of processor: a data folder may move to another machine.
    """
    hardware = detect()
    processor = f"{hardware.architecture} {' '.join(hardware.features)}"
    folder = settings.ort.cache_dir or data_folder(settings) / "models" / ".graphs"
    digest = hashlib.sha256(processor.encode()).hexdigest()[:12]
    return replace(settings.ort, cache_dir=folder / digest)


def open_store(settings: "Settings") -> ModelStore:
    """Return the store of models; nothing is read or made yet."""
    return ModelStore(data_folder(settings), settings.store)
