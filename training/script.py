"""The script of a game: what an actor really said, where what the teacher heard is close to it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from rapidfuzz import fuzz, process

from training.text import normalize

__all__ = ["CLOSE", "SCRIPT", "Script", "lines_in"]

SCRIPT = "script.txt"
"""Name in the folder of a corpus."""
CLOSE = 75.0
"""Percent of letters in common (Indel ratio) from which a line of the script is taken to be meant.
Three of four of the Amazon Queen's recordings have a line as close; of a few looked at between 65
and 75, half were given another line than was said."""
SHORT_LETTERS, CLOSE_IF_SHORT = 8, 90.0
"""A few letters are alike by chance."""

_PRINTABLE = re.compile(rb"[ -~]{3,}(?=(\0*))")
_BEFORE = re.compile(r"^(?:[^A-Z*]{1,3}(?=[A-Z*])|[A-Z]{2,5}\d?(?=[A-Z][a-z' ]))")
_PAUSE = re.compile(r"\*[0-9A-Z]{2}")
"""The Amazon Queen's sign for the next gesture: behind it, another recording begins."""


def lines_in(data: bytes) -> list[str]:
    """Texts in a file of a game, normalised."""
    texts = (_text(found[0], len(found[1])) for found in _PRINTABLE.finditer(data))
    lines = [normalize(part) for text in texts for part in _PAUSE.split(text)]
    return [line for line in lines if line]


class Script:
    """All lines of a game."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = sorted(set(lines))

    @classmethod
    def read(cls, path: Path) -> Script:
        """One line each."""
        return cls(path.read_text(encoding="utf-8").splitlines())

    def write(self, path: Path) -> None:
        """As `read` reads it."""
        path.write_text("".join(f"{line}\n" for line in self._lines), encoding="utf-8")

    def closest(self, heard: str) -> str:
        """The line that was meant, or nothing where none is close."""
        wanted = CLOSE if len(heard) > SHORT_LETTERS else CLOSE_IF_SHORT
        best = process.extractOne(heard, self._lines, scorer=fuzz.ratio, score_cutoff=wanted)
        return best[0] if best else ""


def _text(run: bytes, padding: int) -> str:
    """Printable bytes without those of them that are numbers and names before the text."""
    for at, byte in enumerate(run[:4].split(b"*")[0]):
        if 0 <= byte - len(run[at + 1 :]) <= padding + 1:
            return run[at + 1 :].decode("ascii")
    return _BEFORE.sub("", run.decode("ascii"))
