"""The server as the app runs it: what its log says, and that no options keep it from serving."""

import json
import re
from pathlib import Path

import pytest

from tests.support.appfiles import ROOT
from tests.support.program import run, server, write_recording
from wyoming_stt.sources import OPTIONS_FILE_VARIABLE

LINE = re.compile(r"\[\d\d:\d\d:\d\d\] (?:INFO|WARNING|DEBUG): .+")


@pytest.fixture
def options_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "options.json"
    monkeypatch.setenv("SUPERVISOR_TOKEN", "secret-of-the-supervisor")
    monkeypatch.setenv(OPTIONS_FILE_VARIABLE, str(file))
    monkeypatch.setenv("WYOMING_STT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("WYOMING_STT_MODEL__NAME", "fake")
    return file


def said(recording: Path, *, until: str = "Ready") -> str:
    """Say a recording to the app; returns its log."""
    with server() as running:
        uri = running.listening()
        running.wait_for(until)
        answer = run("say", "--fast", "--uri", uri, recording)
        assert (answer.returncode, answer.stdout.strip()) == (0, "turn on the kitchen light please")
        assert running.stop() == 0
        return running.log


@pytest.mark.slow
def test_the_log_looks_as_documented(options_file: Path, tmp_path: Path) -> None:
    options_file.write_text("{}")
    log = said(write_recording(tmp_path / "recording.wav"))
    assert all(LINE.fullmatch(line) for line in log.splitlines()), log
    assert "Try it" not in log
    assert "kitchen" not in log
    assert "secret" not in log
    documented = re.search(r"```text\n(\[.+)\n```", (ROOT / "DOCS.md").read_text("utf-8"))
    assert documented is not None
    shape = re.sub(r"[\d.]+", "#", documented[1])
    assert shape in {re.sub(r"[\d.]+", "#", line) for line in log.splitlines()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "are ignored, defaults are used: No such file or directory"),
        ('{"threads": "2', "are ignored, defaults are used: not JSON"),
        (json.dumps({"threads": "many", "colour": "red"}), "Option colour is ignored"),
        (json.dumps({"custom_model": "absent"}), "Option custom_model is ignored"),
    ],
)
def test_damaged_options_are_named_and_the_app_serves(
    options_file: Path, tmp_path: Path, content: str | None, complaint: str
) -> None:
    if content is not None:
        options_file.write_text(content)
    log = said(write_recording(tmp_path / "recording.wav"))
    warnings = [line for line in log.splitlines() if "WARNING" in line]
    assert any(complaint in line for line in warnings), log
    assert "Traceback" not in log


@pytest.mark.slow
def test_debug_logging_shows_what_was_said(options_file: Path, tmp_path: Path) -> None:
    options_file.write_text('{"debug_logging": true}')
    assert "turn on the kitchen light please" in said(write_recording(tmp_path / "recording.wav"))
