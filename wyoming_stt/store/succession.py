"""Which version takes the place of which, and how: what was there is there until it has.

No file system that we can count on exchanges two folders in one step. So the old one is moved aside
first, to where it is still found, and deleted last.
"""

import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from wyoming_stt.store import manifest
from wyoming_stt.store.durable import replace
from wyoming_stt.store.layout import Layout, Pointer
from wyoming_stt.store.manifest import ModelFiles

__all__ = ["in_order", "newest_first", "settle", "succeed"]


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


def in_order(versions: Sequence[ModelFiles], pointer: Pointer | None) -> list[ModelFiles]:
    """Sort versions: the one in use, then those that take its place where it cannot be.

    Those that somebody went back from are left out.
    """
    found = {files.version: files for files in versions}
    wanted = [pointer.version, *reversed(pointer.previous)] if pointer else []
    held_back = pointer.held_back if pointer else ()
    # A pointer may be older than the folders: killed in between, or files removed by hand.
    names = dict.fromkeys([*wanted, *(files.version for files in newest_first(versions))])
    return [found[name] for name in names if name in found and name not in held_back]


def newest_first(versions: Sequence[ModelFiles]) -> list[ModelFiles]:
    """Sort versions by when they were installed."""
    return sorted(versions, key=lambda files: files.manifest.installed_at, reverse=True)
