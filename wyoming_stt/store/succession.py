"""A version that takes the place of another of the same name, which is there until it is.

No file system that we can count on exchanges two folders in one step. So the old one is moved aside
first, to where it is still found, and deleted last.
"""

import shutil
from contextlib import suppress
from pathlib import Path

from wyoming_stt.store import manifest
from wyoming_stt.store.durable import replace
from wyoming_stt.store.layout import Layout

__all__ = ["settle", "succeed"]


def succeed(layout: Layout, model: str, version: str, successor: Path) -> None:
    """Move a complete version to its place; nothing is set aside there yet.

    Raises:
        OSError: the disk refused.
    """
    home = layout.home(model, version)
    home.parent.mkdir(parents=True, exist_ok=True)
    if manifest.read(home) is None:
        shutil.rmtree(home, ignore_errors=True)
    else:
        aside = layout.replaced(model) / version
        aside.parent.mkdir(parents=True, exist_ok=True)
        replace(home, aside)
    replace(successor, home)


def settle(layout: Layout, model: str) -> None:
    """Delete what has a successor, and put back what a kill left without one.

    Raises:
        OSError: the disk refused.
    """
    for aside in layout.replaced_homes(model):
        home = layout.home(model, aside.name)
        if manifest.read(aside) is None or manifest.read(home) is not None:
            manifest.delete(aside)
        else:
            shutil.rmtree(home, ignore_errors=True)
            replace(aside, home)
    with suppress(FileNotFoundError):
        layout.replaced(model).rmdir()
