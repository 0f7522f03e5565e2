import asyncio
import logging

import pytest

from tests.support.engines import LONG, engine_on, eventually
from wyoming_stt.engine import LeaseStats
from wyoming_stt.errors import SettingsError
from wyoming_stt.log import LogSettings
from wyoming_stt.observability.observer import Report
from wyoming_stt.observability.summary import summarised, summary
from wyoming_stt.observability.tally import Tally

SOON_S = 0.02


def hear(tally: Tally) -> None:
    tally.began("wyoming")
    tally.ended(Report("wyoming", "ok", LeaseStats(4.0, 0.5, 1.0)))


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    own = [record for record in caplog.records if record.name.endswith("summary")]
    assert all(record.levelno == logging.INFO for record in own)
    return [record.getMessage() for record in own]


async def test_the_numbers_of_health() -> None:
    tally = Tally()
    async with engine_on() as engine:
        hear(tally)
        tally.began("http")
        text = summary(tally, engine)
    assert text.startswith(str(tally))
    assert "; open: 1; waiting: 0; load: normal; model: fake (ready); memory: " in text
    assert text.endswith(" MB of it the model")


async def test_without_a_model_it_names_the_one_that_is_to_serve() -> None:
    async with engine_on(wait=False) as engine:
        assert "; model: chosen (uninitialized); memory: " in summary(Tally(), engine)


async def test_a_line_now_and_then_if_something_happened(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    tally = Tally()
    async with engine_on() as engine, summarised(tally, engine, SOON_S):
        await asyncio.sleep(5 * SOON_S)
        assert lines(caplog) == []
        for number in (1, 2):
            hear(tally)
            await eventually(lambda number=number: len(lines(caplog)) == number)
            await asyncio.sleep(5 * SOON_S)
            assert len(lines(caplog)) == number
            assert f"Since the start, utterances: {number}; " in lines(caplog)[-1]
    assert len(lines(caplog)) == 3


@pytest.mark.parametrize("every_s", [0.0, LONG])
async def test_at_the_end_it_always_sums_up(
    caplog: pytest.LogCaptureFixture, every_s: float
) -> None:
    caplog.set_level(logging.INFO)
    async with engine_on() as engine, summarised(Tally(), engine, every_s):
        await asyncio.sleep(0)
        assert lines(caplog) == []
    assert len(lines(caplog)) == 1


def test_a_senseless_pause_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"log\.summary_every_s"):
        LogSettings(summary_every_s=-1.0)
