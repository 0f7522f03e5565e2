"""Jobs in a SQLite file: for one machine, and as many processes on it as one likes."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

from pydantic import TypeAdapter

from wyoming_stt.errors import JobNotFoundError, JobsUnavailableError, NoRoomError, QueueFullError
from wyoming_stt.jobs.job import Job, JobState
from wyoming_stt.jobs.store import Change, Page

__all__ = ["SqliteStore"]

T = TypeVar("T")

BUSY_S: Final = 10.0
"""Longest wait for another process that writes; it takes milliseconds, a card that is worn more."""
_LAYOUT: Final = """
CREATE TABLE IF NOT EXISTS jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, key TEXT UNIQUE,
    state TEXT NOT NULL, num_bytes INTEGER NOT NULL, document TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS jobs_state ON jobs (state, num_bytes);
CREATE TABLE IF NOT EXISTS labels (
    label TEXT NOT NULL, seq INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE,
    PRIMARY KEY (label, seq)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS labels_seq ON labels (seq);
CREATE TABLE IF NOT EXISTS pieces (
    seq INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE, settled INTEGER NOT NULL,
    piece BLOB NOT NULL, PRIMARY KEY (seq, settled));
CREATE TABLE IF NOT EXISTS workers (name TEXT PRIMARY KEY, since REAL, until REAL);
"""
_DOCUMENT: Final = TypeAdapter(Job)


class SqliteStore:
    """A `JobStore`. A power cut loses nothing that was said to be kept."""

    backend = "sqlite"

    def __init__(self, file: Path) -> None:
        self._file = file
        self._connection: sqlite3.Connection | None = None
        # One thread: SQLite writes one after the other anyway.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="jobs")

    async def add(self, job: Job, max_queued: int) -> Job:
        """Keep a new job; see `JobStore`."""

        def add(connection: sqlite3.Connection) -> Job:
            if (known := _find(connection, job.key)) is not None:
                return known
            queued = _count(connection, JobState.QUEUED)
            if queued >= max_queued:
                raise QueueFullError(queued)
            cursor = connection.execute(
                "INSERT INTO jobs (id, key, state, num_bytes, document) VALUES (?, ?, '', 0, '')",
                (job.id, job.key),
            )
            numbered = replace(job, seq=cursor.lastrowid or 0)
            _write(connection, numbered)
            return numbered

        try:
            return await self._run(add)
        except JobsUnavailableError as error:
            if getattr(error.__cause__, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
                raise NoRoomError(str(error)) from error
            raise

    async def find(self, key: str) -> Job | None:
        """Return the job with this key."""
        return await self._run(lambda connection: _find(connection, key))

    async def get(self, job_id: str) -> Job:
        """Return it as it is now."""
        return await self._run(lambda connection: _read(connection, job_id))

    async def update(self, job_id: str, change: Change, piece: bytes | None = None) -> Job:
        """Change a job; see `JobStore`."""

        def update(connection: sqlite3.Connection) -> Job:
            job = change(_read(connection, job_id))
            _write(connection, job)
            if piece is not None:
                connection.execute(
                    "INSERT OR REPLACE INTO pieces VALUES (?, ?, ?)",
                    (job.seq, job.progress.settled, piece),
                )
            if job.state.is_final:
                connection.execute("DELETE FROM pieces WHERE seq = ?", (job.seq,))
            return job

        return await self._run(update)

    async def pieces(self, job_id: str) -> list[bytes]:
        """Return the pieces that were kept."""
        query = "SELECT piece FROM pieces JOIN jobs USING (seq) WHERE jobs.id = ? ORDER BY settled"
        return await self._run(lambda c: [row[0] for row in c.execute(query, (job_id,))])

    async def remove(self, job_id: str) -> None:
        """Forget a job."""
        await self._run(lambda c: c.execute("DELETE FROM jobs WHERE id = ?", (job_id,)))

    async def newest(self, label: str | None, limit: int, before: int | None = None) -> Page:
        """Return the last jobs, the newest first."""
        source = "jobs" if label is None else "labels CROSS JOIN jobs USING (seq)"
        query = (
            f"SELECT document FROM {source} WHERE (? IS NULL OR label = ?) AND seq < ? "  # noqa: S608 - two literals
            "ORDER BY seq DESC LIMIT ?"
        )
        if label is None:
            query = query.replace("label = ?", "?")
        first = before if before is not None else 1 << 62
        jobs = await self._run(lambda c: _jobs(c, query, label, label, first, limit + 1))
        more = len(jobs) > limit
        return Page(tuple(jobs[:limit]), jobs[limit - 1].seq if more else None)

    async def oldest(self, label: str, limit: int) -> Sequence[Job]:
        """Return the first jobs with the label."""
        query = (
            "SELECT document FROM labels CROSS JOIN jobs USING (seq) WHERE label = ? "
            "ORDER BY seq LIMIT ?"
        )
        return await self._run(lambda c: _jobs(c, query, label, limit))

    async def counts(self) -> Mapping[JobState, int]:
        """Return how many there are in each state."""
        query = "SELECT state, COUNT(*) FROM jobs GROUP BY state"
        none = dict.fromkeys(JobState, 0)
        return await self._run(lambda c: none | {JobState(s): n for s, n in c.execute(query)})

    async def num_bytes(self) -> int:
        """Return what all jobs take in the spool."""
        query = "SELECT COALESCE(SUM(num_bytes), 0) FROM jobs"
        return await self._run(lambda c: int(c.execute(query).fetchone()[0]))

    async def greet(self, worker: str, for_s: float) -> None:
        """Note that a worker is there."""
        now = _uptime()
        query = "INSERT OR REPLACE INTO workers VALUES (?, ?, ?)"
        await self._run(lambda c: c.execute(query, (worker, now, now + for_s)))

    async def num_workers(self) -> int:
        """Return how many are there; after a reboot the clock is behind what was noted."""
        query = "SELECT COUNT(*) FROM workers WHERE since <= :now AND until > :now"
        return await self._run(lambda c: int(c.execute(query, {"now": _uptime()}).fetchone()[0]))

    async def aclose(self) -> None:
        """Close the file."""
        if self._connection is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown()

    async def _run(self, call: Callable[[sqlite3.Connection], T]) -> T:
        """Make the call in a transaction, in the thread."""

        def run() -> T:
            with self._transaction() as connection:
                return call(connection)

        return await asyncio.get_running_loop().run_in_executor(self._thread, run)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._connection or self._open()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # Where the disk is full, SQLite has done so itself.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except (sqlite3.Error, OSError) as error:
            raise JobsUnavailableError(f"{self._file} cannot be used: {error}") from error

    def _open(self) -> sqlite3.Connection:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            self._file, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.executescript(_LAYOUT)
        self._connection = connection
        return connection


def _read(connection: sqlite3.Connection, job_id: str) -> Job:
    jobs = _jobs(connection, "SELECT document FROM jobs WHERE id = ?", job_id)
    if not jobs:
        raise JobNotFoundError(job_id)
    return jobs[0]


def _find(connection: sqlite3.Connection, key: str | None) -> Job | None:
    found = _jobs(connection, "SELECT document FROM jobs WHERE key = ?", key)
    return found[0] if found else None


def _jobs(connection: sqlite3.Connection, query: str, *values: object) -> list[Job]:
    return [_DOCUMENT.validate_json(row[0]) for row in connection.execute(query, values)]


def _write(connection: sqlite3.Connection, job: Job) -> None:
    connection.execute(
        "UPDATE jobs SET state = ?, num_bytes = ?, document = ? WHERE seq = ?",
        (job.state, job.num_bytes, _DOCUMENT.dump_json(job).decode(), job.seq),
    )
    connection.execute("DELETE FROM labels WHERE seq = ?", (job.seq,))
    connection.executemany(
        "INSERT INTO labels VALUES (?, ?)", [(label, job.seq) for label in job.labels]
    )


def _count(connection: sqlite3.Connection, state: JobState) -> int:
    query = "SELECT COUNT(*) FROM jobs WHERE state = ?"
    return int(connection.execute(query, (state,)).fetchone()[0])


def _uptime() -> float:
    """Seconds since the machine was started: the same in all processes, and it never jumps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
