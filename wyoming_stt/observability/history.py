"""Counters that outlive the process: what grew since the last time, appended to a small file."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from wyoming_stt.errors import SettingsError, StorageError
from wyoming_stt.observability.tally import Counts

__all__ = ["FILE", "History", "HistoryOptions"]

FILE: Final = "statistics.sqlite3"
"""Its name in the data folder."""
KEEP_DAYS: Final = 90
BUSY_S: Final = 5.0
"""Longest wait for another process that writes the file; it takes milliseconds."""
_LAYOUT: Final = """
CREATE TABLE IF NOT EXISTS growth (at INTEGER, name TEXT, label TEXT, amount REAL);
CREATE INDEX IF NOT EXISTS growth_at ON growth (at);
"""


@dataclass(frozen=True, slots=True)
class HistoryOptions:
    """What is remembered of the past, for `wyoming-stt stats`."""

    enabled: bool = True
    """Append counters to `statistics.sqlite3` in the data folder: numbers only, nothing of what was
    said."""
    every_s: float = 60.0
    """Between two additions; the last comes at the end. A quiet minute adds nothing."""
    keep_days: int = KEEP_DAYS
    """Older numbers are deleted."""

    def __post_init__(self) -> None:
        if not (self.every_s > 0 and self.keep_days > 0):
            raise SettingsError("statistics.every_s and statistics.keep_days must be above 0")


class History:
    """The file. Several processes may use it at once; a damaged one is put aside."""

    def __init__(self, file: Path, keep_days: int = KEEP_DAYS) -> None:
        self._file = file
        self._keep = timedelta(days=keep_days)

    def append(self, grown: Counts, now: datetime) -> None:
        """Add to the counters; forget what is older than `keep_days`.

        Raises:
            StorageError: the file cannot be written.
        """
        try:
            self._append(grown, now)
        except _DamageError:
            with _errors(self._file):
                self._file.replace(self._file.with_suffix(".damaged"))
            self._append(grown, now)

    def totals(self, since: datetime | None = None) -> Counts:
        """Return what was counted since then, or since the beginning; nothing without a file.

        Raises:
            StorageError: the file cannot be read.
        """
        query = "SELECT name, label, SUM(amount) FROM growth WHERE at >= ? GROUP BY name, label"
        with self._opened() as connection:
            if connection is None:
                return {}
            rows = connection.execute(query, (_seconds(since),)).fetchall()
        return {(name, label): amount for name, label, amount in rows}

    def beginning(self) -> datetime | None:
        """Return the time of the oldest number; None where there is none.

        Raises:
            StorageError: the file cannot be read.
        """
        with self._opened() as connection:
            row = connection and connection.execute("SELECT MIN(at) FROM growth").fetchone()
        return datetime.fromtimestamp(row[0], UTC) if row and row[0] is not None else None

    def _append(self, grown: Counts, now: datetime) -> None:
        rows = [(_seconds(now), *key, amount) for key, amount in grown.items()]
        with _errors(self._file):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._file, timeout=BUSY_S)) as connection, connection:
                # Readers do not disturb the writer; a power cut may cost the last minute only.
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.executescript(_LAYOUT)
                connection.executemany("INSERT INTO growth VALUES (?, ?, ?, ?)", rows)
                connection.execute("DELETE FROM growth WHERE at < ?", (_seconds(now - self._keep),))

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection | None]:
        if not self._file.exists():
            yield None
            return
        with _errors(self._file), closing(sqlite3.connect(self._file, timeout=BUSY_S)) as opened:
            is_begun = opened.execute("SELECT 1 FROM sqlite_master WHERE name = 'growth'")
            yield opened if is_begun.fetchone() else None


class _DamageError(StorageError):
    """It is no database any more."""


@contextmanager
def _errors(file: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.OperationalError, OSError) as error:
        raise StorageError(f"the statistics in {file} cannot be used: {error}") from error
    except sqlite3.DatabaseError as error:
        raise _DamageError(f"the statistics in {file} are damaged: {error}") from error


def _seconds(at: datetime | None) -> int:
    return int(at.timestamp()) if at else 0
