"""Counters in a file: added up over restarts, forgotten in time, never a reason to stop."""

import asyncio
import logging
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from wyoming_stt.errors import SettingsError, StorageError
from wyoming_stt.observability.history import History, HistoryOptions
from wyoming_stt.observability.recorder import recorded
from wyoming_stt.observability.tally import Counts

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HEARD = ("utterances", "wyoming ok")
AUDIO = ("audio_s", "")
LONG_S = 60.0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "statistics.sqlite3"


def test_without_a_file_there_is_nothing(file: Path) -> None:
    assert History(file).totals() == {}
    assert History(file).beginning() is None
    assert not file.exists()


def test_what_grew_adds_up(file: Path) -> None:
    History(file).append({HEARD: 2, AUDIO: 3.5}, NOW - timedelta(days=3))
    History(file).append({HEARD: 1}, NOW)
    assert History(file).totals() == {HEARD: 3, AUDIO: 3.5}
    assert History(file).totals(NOW - timedelta(days=1)) == {HEARD: 1}
    assert History(file).beginning() == NOW - timedelta(days=3)


def test_what_is_old_is_forgotten(file: Path) -> None:
    history = History(file, keep_days=10)
    for days in (20, 9, 0):
        history.append({HEARD: 1}, NOW - timedelta(days=days))
    assert history.totals() == {HEARD: 2}


def test_a_damaged_file_is_put_aside(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"no database" * 1000)
    with pytest.raises(StorageError, match="damaged"):
        History(file).totals()
    History(file).append({HEARD: 1}, NOW)
    assert History(file).totals() == {HEARD: 1}
    assert file.with_suffix(".damaged").read_bytes().startswith(b"no database")


def test_a_file_that_cannot_be_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="statistics"):
        History(tmp_path / "file" / "statistics.sqlite3").append({HEARD: 1}, NOW)


def test_two_processes_write_one_file(file: Path) -> None:
    History(file).append({HEARD: 1}, NOW)
    with sqlite3.connect(file) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        other.execute("SELECT * FROM growth").fetchone()
        History(file).append({HEARD: 1}, NOW)
    other.close()
    assert History(file).totals() == {HEARD: 2}


async def test_the_end_is_written_and_nothing_twice(file: Path) -> None:
    counts: Counts = {HEARD: 0.0}
    async with recorded(History(file), lambda: dict(counts), LONG_S):
        counts[HEARD] = 3.0
    async with recorded(History(file), lambda: dict(counts), LONG_S):
        pass
    assert History(file).totals() == {HEARD: 6}


async def test_it_is_written_while_it_runs(file: Path) -> None:
    counts: Counts = {HEARD: 1.0}
    async with asyncio.timeout(LONG_S):
        async with recorded(History(file), lambda: dict(counts), 0.01):
            while History(file).totals() != {HEARD: 1}:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.01)
            counts[HEARD] = 5.0
    assert History(file).totals() == {HEARD: 5}


async def test_a_disk_that_refuses_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    history = History(tmp_path / "file" / "statistics.sqlite3")
    count = 0

    def counts() -> Counts:
        nonlocal count
        count += 1
        return {HEARD: float(count)}

    with caplog.at_level(logging.WARNING):
        async with asyncio.timeout(LONG_S):
            async with recorded(history, counts, 0.001):
                while count < 5:  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0.001)
    assert caplog.text.count("No statistics are kept") == 1


@pytest.mark.parametrize("wrong", [{"every_s": 0.0}, {"keep_days": 0}])
def test_options_that_make_no_sense(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError):
        HistoryOptions(**wrong)
