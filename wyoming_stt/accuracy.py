"""Word error rate: what share of the words said were not heard, or heard wrong."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wyoming_stt.errors import SettingsError

__all__ = ["Reference", "read_manifest", "word_errors", "words"]

_WORD: Final = re.compile(r"[\w']+")


@dataclass(frozen=True, slots=True)
class Reference:
    """A recording, and what is said in it."""

    file: Path
    words: tuple[str, ...]


def words(text: str) -> tuple[str, ...]:
    """Return the words of a text; capitals and punctuation do not count."""
    return tuple(_WORD.findall(text.casefold()))


def word_errors(reference: Sequence[str], heard: Sequence[str]) -> int:
    """Return the fewest words to put in, take out or replace to make one of the other."""
    row = list(range(len(heard) + 1))
    for index, word in enumerate(reference, 1):
        diagonal, row[0] = row[0], index
        for column, found in enumerate(heard, 1):
            replaced = diagonal + (word != found)
            diagonal = row[column]
            row[column] = min(replaced, row[column] + 1, row[column - 1] + 1)
    return row[-1]


def read_manifest(file: Path) -> list[Reference]:
    """Read a table with the columns `file` and `transcript`, separated by tabs.

    Files are relative to the table; rows without a transcript are left out.

    Raises:
        SettingsError: it cannot be read, has not these columns or no such row, or names a file that
            is not there.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as table:
            rows = list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))
        found = [
            Reference(file.parent / row["file"], words(row["transcript"] or "")) for row in rows
        ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SettingsError(f"cannot read the manifest {file}: {error}") from error
    except (KeyError, TypeError, AttributeError):
        raise SettingsError(
            f"{file}: expected columns named file and transcript, separated by tabs"
        ) from None
    references = [reference for reference in found if reference.words]
    if not references:
        raise SettingsError(f"{file}: no recording with a transcript")
    missing = [str(reference.file) for reference in references if not reference.file.is_file()]
    if missing:
        others = f" and {len(missing) - 1} others" if missing[1:] else ""
        raise SettingsError(f"{file} names {missing[0]}{others}, which is not there")
    return references
