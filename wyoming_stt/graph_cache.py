"""Graphs as onnxruntime optimised them, kept for the next start; a bad one is made anew."""

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

__all__ = ["GraphCache"]

MAX_GRAPHS: Final = 24
"""Eight models of three graphs; the ones written longest ago make room."""
_CHUNK_BYTES: Final = 1 << 20


class GraphCache:
    """A folder of optimised graphs, each beside its checksum.

    Onnxruntime's own checks would let a flipped weight through, which turns into wrong words. The
    checksum is written last, so that a kill at any moment leaves no entry that is believed. A
    folder that cannot be written only costs time.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, model: Path, salt: str) -> Path | None:
        """Return the optimised graph, or None where there is none that is whole.

        Args:
            model: The graph as published.
            salt: Whatever else the optimised graph depends on: onnxruntime's version, the CPU.
        """
        entry = self._entry(model, salt)
        try:
            if _checksum(entry) == _sum_of(entry).read_text(encoding="ascii"):
                return entry
        except (OSError, ValueError):
            pass
        self.drop(model, salt)
        return None

    def store(self, model: Path, salt: str, write: Callable[[Path], None]) -> None:
        """Keep what `write` puts into the file it is given; does nothing where that fails."""
        entry = self._entry(model, salt)
        # Two processes that write it at once leave a sum that does not match, so no entry.
        part = entry.with_suffix(".part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write(part)
            checksum = _checksum(part)
            part.replace(entry)
            part.write_text(checksum, encoding="ascii")
            part.replace(_sum_of(entry))
            self._prune()
        except OSError:
            _unlink(part)

    def drop(self, model: Path, salt: str) -> None:
        """Forget an entry."""
        entry = self._entry(model, salt)
        _unlink(_sum_of(entry))
        _unlink(entry)

    def _entry(self, model: Path, salt: str) -> Path:
        key = hashlib.sha256(f"{_checksum(model)} {salt}".encode()).hexdigest()
        return self._folder / f"{key[:32]}.onnx"

    def _prune(self) -> None:
        entries = sorted(self._folder.glob("*.onnx"), key=lambda path: path.stat().st_mtime_ns)
        for entry in entries[:-MAX_GRAPHS]:
            _unlink(_sum_of(entry))
            _unlink(entry)


def _unlink(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _sum_of(entry: Path) -> Path:
    return entry.with_suffix(".sha256")


def _checksum(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK_BYTES):
            digest.update(piece)
    return digest.hexdigest()
