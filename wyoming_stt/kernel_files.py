"""Reading what Linux tells in /proc and /sys, where nothing is certain and nothing may fail."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

__all__ = ["fields", "read", "whole"]

_MOST_DIGITS: Final = 20
"""Of 64 bits; Python refuses to read thousands."""


def read(file: Path) -> str:
    """Return a file's text without white space around it; none where it cannot be read."""
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except (OSError, ValueError):  # the latter for a name that cannot be one
        return ""


def whole(text: str) -> int | None:
    """Read a whole number that is not negative; None where it is none."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
    return int(text) if is_number else None


def fields(text: str, separator: str | None = ":") -> Iterator[tuple[str, str]]:
    """Yield what stands before and after the separator, by default a colon; None: white space."""
    for line in text.splitlines():
        name, *value = line.split(separator, 1)
        if value:
            yield name.strip(), value[0].strip()
