"""Transcripts of a corpus beside its recordings, one row for each, added to as they are written.

Those of corpora that may be passed on lie in `words/`, so that nobody need write them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

__all__ = ["Transcripts"]

WRITTEN = Path(__file__).parent / "words"


class Transcripts:
    """File names to words; empty words stand for recordings nobody could make out.

    Args:
        path: Of the rows that are added; its name is that of the corpus.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._texts = _read(WRITTEN / path.name) | _read(path)

    def __contains__(self, name: str) -> bool:
        return name in self._texts

    def get(self, name: str) -> str:
        """The words of a recording; '' where there are none."""
        return self._texts.get(name, "")

    def add(self, texts: Mapping[str, str]) -> None:
        """Add and write rows."""
        self._texts |= texts
        self._path.parent.mkdir(exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write("".join(f"{name}\t{text}\n" for name, text in texts.items()))


def _read(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return dict(line.split("\t") for line in lines if line.count("\t") == 1)
