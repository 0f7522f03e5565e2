"""What no longer serves, and how much room it takes."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from wyoming_stt.store import manifest
from wyoming_stt.store.layout import Layout
from wyoming_stt.store.manifest import ModelFiles
from wyoming_stt.store.succession import newest_first

__all__ = ["leftovers", "prune_model", "size_of"]


def leftovers(layout: Layout) -> set[str]:
    """Ids of the models of which parts were downloaded or put together."""
    folders = (layout.models / name for name in (".downloads", ".staging"))
    return {path.name for folder in folders for path in folder.glob("*")}


def prune_model(
    layout: Layout, model: str, current: ModelFiles | None, versions: Sequence[ModelFiles]
) -> None:
    """Delete all versions of a model but the one in use and the one before, and what is in parts.

    Where none is in use, the last one stays that somebody went back from: it may be one's own.

    Raises:
        OSError: the disk refused.
    """
    pointer = layout.pointer(model)
    here = {files.version for files in versions}
    kept = {current.version} if current else set[str]()
    # Not merely the last: that one may be gone, removed or put aside.
    before = [old for old in pointer.previous if old in here - kept] if pointer else []
    kept |= set(before[-1:])
    if not kept:
        kept = {files.version for files in newest_first(versions)[:1]}
    for home in layout.homes(model):
        if home.name not in kept or manifest.read(home) is None:
            manifest.delete(home)
    for folder in (layout.downloads(model), layout.staging(model)):
        shutil.rmtree(folder, ignore_errors=True)
    if pointer is None and not kept:
        shutil.rmtree(layout.models / model, ignore_errors=True)


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
