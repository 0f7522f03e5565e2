"""Where this program keeps what it downloads and remembers."""

from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_data_path

from wyoming_stt.store import ModelStore

if TYPE_CHECKING:
    from wyoming_stt.settings import Settings

__all__ = ["data_folder", "open_store"]


def data_folder(settings: "Settings") -> Path:
    """Return the folder of the setting `data_dir`, or the platform's place for user data."""
    if settings.data_dir is not None:
        return settings.data_dir.expanduser()
    return user_data_path("wyoming-stt", appauthor=False)


def open_store(settings: "Settings") -> ModelStore:
    """Return the store of models; nothing is read or made yet."""
    return ModelStore(data_folder(settings), settings.store)
