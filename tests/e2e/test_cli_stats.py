"""Counters that two runs of the server left behind, as a person and a program read them."""

import json
from pathlib import Path

from tests.support.program import run, server, write_recording


def test_nothing_was_counted_yet(tmp_path: Path) -> None:
    done = run("stats", "--data-dir", tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("Nothing was counted yet")
    assert json.loads(run("stats", "--json", "--data-dir", tmp_path).stdout)["since"] is None


def test_two_runs_add_up(tmp_path: Path) -> None:
    recording = write_recording(tmp_path / "recording.wav")
    folder = f"data_dir={tmp_path}"
    for _ in range(2):
        with server("--model", "fake", "--set", folder, "--no-http") as running:
            assert run("say", recording, "--uri", running.listening()).returncode == 0
            assert running.stop() == 0
        assert "utterances: 1; audio: 2 s, dropped: 0; errors told: 0" in running.log
    found = json.loads(run("stats", "--json", "--data-dir", tmp_path).stdout)
    everything = found["all"]
    assert found["last_24_h"] == everything
    assert (everything["starts"], everything["utterances"]) == (2, {"wyoming ok": 2})
    assert everything["model_states"]["ready"] == 2
    assert 0 < everything["rtf"] < 1
    table = run("stats", "--data-dir", tmp_path).stdout
    assert "Utterances wyoming ok" in table
    assert table.count("\n") > 6


def test_a_damaged_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "statistics.sqlite3").write_bytes(b"no database" * 1000)
    done = run("stats", "--data-dir", tmp_path)
    assert done.returncode == 74
    assert "damaged" in done.stderr
    assert "Traceback" not in done.stderr
