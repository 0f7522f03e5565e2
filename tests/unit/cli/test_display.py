import io
import sys

import pytest

from wyoming_stt.cli.display import Display
from wyoming_stt.events import PartialTranscript


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_results_go_to_standard_output_and_notes_to_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Display(1, partials=False) as display:
        display.advance(0, 1.0, [PartialTranscript(16_000, "turn on", "turn")])
        display.result("turn [b]on[/b]")
        display.note("a.wav: no audio")
    assert capsys.readouterr() == ("turn [b]on[/b]\n", "a.wav: no audio\n")


def test_partials_show_when_they_were_heard(capsys: pytest.CaptureFixture[str]) -> None:
    with Display(1, partials=True) as display:
        display.advance(0, 0.5, [PartialTranscript(20_000, "turn on", "turn")])
    assert capsys.readouterr() == ("", "   1.25 s  turn on\n")


def test_a_bar_appears_on_a_terminal_and_only_after_a_while(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 0.0
    monkeypatch.setattr("wyoming_stt.cli.display.time.monotonic", lambda: now)
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("TERM", "xterm")
    with Display(4, partials=False) as display:
        display.advance(0, 0.5, [])
        assert terminal.getvalue() == ""
        now = 1.5
        display.advance(1, 1.0, [])
        display.result("turn on")
    assert "Transcribing" in terminal.getvalue()
    assert capsys.readouterr().out == "turn on\n"
