import pytest

from tests.support.engines import engine_on
from wyoming_stt.engine import LeaseStats
from wyoming_stt.observability.observer import Report
from wyoming_stt.observability.tally import MAX_LAST_ERRORS, Tally, counted


def hear(tally: Tally, outcome: str = "ok", *, decode_s: float = 1.0, skipped_s=None) -> None:
    tally.began("http")
    stats = LeaseStats(audio_s=4.0, queue_s=0.5, decode_s=decode_s)
    tally.ended(Report("http", outcome, stats, skipped_s=skipped_s))


def test_nothing_was_heard_yet() -> None:
    tally = Tally()
    assert (tally.rtf, tally.speech_ratio, tally.active) == (None, None, 0)
    assert str(tally) == "utterances: 0; audio: 0 s, dropped: 0; errors told: 0, in a row: 0"


def test_an_utterance_and_what_it_cost() -> None:
    tally = Tally()
    tally.began("http")
    assert tally.active == 1
    tally.ended(Report("http", "ok", LeaseStats(4.0, 0.5, 1.0), skipped_s=1.0))
    assert (tally.active, tally.speech_ratio) == (0, 0.75)
    assert tally.counts["utterances", "http ok"] == 1
    assert (tally.counts["audio_s", ""], tally.counts["decode_s", ""]) == (4.0, 1.0)
    assert str(tally) == (
        "utterances: 1; audio: 4 s, dropped: 0; errors told: 0, in a row: 0; "
        "RTF: 0.250 (p50 0.250, p95 0.250, p99 0.250); speech: 75 %"
    )


def test_percentiles_are_those_of_recent_utterances() -> None:
    tally = Tally()
    for decode_s in range(1, 101):
        hear(tally, decode_s=decode_s / 25)
    assert tally.rtf == pytest.approx((0.505, 0.5, 0.95, 0.99))


@pytest.mark.parametrize(
    ("outcome", "errors"),
    [
        ("inference-failed", 3),
        ("inference-timeout", 3),
        ("model-not-ready", 3),
        ("left", 2),
        ("limit-exceeded", 2),
        ("server-busy", 2),
        ("ok", 0),
    ],
)
def test_errors_in_a_row_are_the_servers_own(outcome: str, errors: int) -> None:
    tally = Tally()
    for each in ("inference-failed", "inference-failed", outcome):
        hear(tally, each)
    assert tally.consecutive_errors == errors


def test_errors_are_counted_and_the_servers_own_remembered() -> None:
    tally = Tally()
    tally.told("http", "invalid_audio", is_ours=False)
    for number in range(20):
        tally.told("http", f"code_{number}", is_ours=True)
    assert tally.counts["errors", "invalid_audio"] == 1
    assert [error.code for error in tally.last_errors] == [
        f"code_{n}" for n in range(19, 19 - MAX_LAST_ERRORS, -1)
    ]


async def test_what_the_engine_went_through_counts_too() -> None:
    async with engine_on() as engine:
        counts = counted(Tally(), engine)
    assert counts["starts", ""] == counts["model_states", "ready"] == 1
