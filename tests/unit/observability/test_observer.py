import logging

import pytest

from wyoming_stt.engine import LeaseStats
from wyoming_stt.errors import InferenceError
from wyoming_stt.observability.observer import Nobody, Report, observed


class Notebook(Nobody):
    def __init__(self) -> None:
        self.open: list[str] = []
        self.reports: list[Report] = []

    def began(self, door: str) -> None:
        self.open.append(door)

    def ended(self, report: Report) -> None:
        self.open.remove(report.door)
        self.reports.append(report)


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


def test_an_utterance_is_counted_while_it_is_open(notebook: Notebook) -> None:
    with observed(notebook, "http"):
        assert notebook.open == ["http"]
    assert notebook.open == []


def test_what_it_cost_is_read_at_its_end(
    notebook: Notebook, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    stats = LeaseStats()
    with observed(notebook, "http") as watch:
        watch.stats, watch.skipped_s = stats, 0.5
        watch.audio_ended()
        watch.final("what was said")
        stats.audio_s, stats.queue_s, stats.decode_s = 2.0, 0.01, 0.5
    (report,) = notebook.reports
    assert (report.outcome, report.stats.rtf, report.skipped_s) == ("ok", 0.25, 0.5)
    assert report.final_latency_s is not None
    assert report.final_latency_s >= 0
    assert "http: 2.00 s of audio, queue 10 ms, decode 500 ms, RTF 0.250" in caplog.text
    assert "what was said" not in caplog.text


def test_what_was_said_is_logged_for_debugging_only(
    notebook: Notebook, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with observed(notebook, "http") as watch:
        watch.final("what was said")
    assert "what was said" in caplog.text
    assert notebook.reports[0].final_latency_s is None, "nobody said when the audio ended"


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(InferenceError("x"), "inference-failed"), (ConnectionError(), "left")],
)
def test_one_that_fails_is_reported_too(
    notebook: Notebook, error: Exception, outcome: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(type(error)), observed(notebook, "http"):
        raise error
    assert [report.outcome for report in notebook.reports] == [outcome]
    assert notebook.open == []
    assert caplog.text == ""
