"""Find the family of a model and load it; families are entry points of `wyoming_stt.families`."""

from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path

from wyoming_stt.errors import ModelFileError, UnknownFamilyError
from wyoming_stt.models.base import Family, Recognizer
from wyoming_stt.ort import OrtOptions

__all__ = ["FAKE", "families", "find_family", "load_model"]

FAKE = "fake"
"""The model without files, for trying out everything around a model."""
_GROUP = "wyoming_stt.families"


def families() -> list[Family]:
    """Load every installed family, ordered by name."""
    return [entry.load() for entry in sorted(entry_points(group=_GROUP), key=lambda e: e.name)]


def find_family(folder: Path | None) -> Family:
    """Return the family that reads a model's folder; None is the model named `fake`.

    Raises:
        ModelFileError: the folder is missing, or a file of it is damaged.
        UnknownFamilyError: no family recognises it.
    """
    if folder is not None and not folder.is_dir():
        raise ModelFileError(folder, "a folder with a model", "nothing")
    found = families()
    unreadable: list[ModelFileError] = []
    for family in found:
        try:
            if family.matches(folder):
                return family
        except ModelFileError as error:
            unreadable.append(error)
    if unreadable:
        raise unreadable[0]
    raise UnknownFamilyError(
        f"{folder}: no family recognises this model; known families: "
        f"{', '.join(family.name for family in found)}"
    )


def load_model(
    model: Path | str, *, languages: Sequence[str], options: OrtOptions | None = None
) -> Recognizer:
    """Load a model folder, or the model named `fake`.

    Raises:
        ModelFileError: the folder or a file of it is missing, damaged, or contradicts another.
        UnknownFamilyError: no family recognises the folder.
    """
    folder = None if str(model) == FAKE else Path(model)
    family = find_family(folder)
    return family.load(folder, languages=tuple(languages), options=options or OrtOptions())
