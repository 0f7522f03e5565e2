"""More is asked than can be decoded: less comfort for all, words or an error for each.

Time runs faster here: what takes a second in a household takes `1 / pace` of one. All else is as
shipped.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import pytest

from tests.support.engines import OPEN, eventually
from wyoming_stt.decoding.hypothesis import Hypothesis
from wyoming_stt.decoding.options import SearchOptions
from wyoming_stt.degrade import DegradeOptions, Level
from wyoming_stt.engine import Engine, EngineOptions, ModelSource
from wyoming_stt.errors import OverloadedError
from wyoming_stt.models.families.fake import SCRIPT, FakeRecognizer, FakeStream
from wyoming_stt.observability.observer import observed
from wyoming_stt.observability.tally import Tally
from wyoming_stt.types import SAMPLE_RATE, Samples

FAST, STEADY = 10.0, 4.0
"""The faster, the more a busy machine's scheduler adds to what the slow model takes."""
RTF = 0.3
"""Of the slow model, in a household's time, on its one thread: it keeps up with three speakers."""
UTTERANCE_S, PIECE_S, WORD_S = 12.8, 0.16, 0.32
REFUSED_S = 5.0
"""Pause of a client before it tries again."""
EVERYTHING = " ".join((SCRIPT * 7)[: round(UTTERANCE_S / WORD_S)])

SHIPPED, LIMITS = DegradeOptions(), EngineOptions()


def ladder(pace: float) -> DegradeOptions:
    return DegradeOptions(
        # Seconds of decoding by seconds of audio, of which only the former are shorter here.
        rtf=tuple(limit / pace for limit in SHIPPED.rtf),
        queue_wait_s=tuple(limit / pace for limit in SHIPPED.queue_wait_s),
        short_window_s=SHIPPED.short_window_s / pace,
        long_window_s=SHIPPED.long_window_s / pace,
        hold_s=SHIPPED.hold_s / pace,
        calm_s=SHIPPED.calm_s / pace,
    )


class SlowRecognizer(FakeRecognizer):
    """Hears what the fake model hears, and takes its time."""

    def __init__(self, pace: float) -> None:
        super().__init__()
        self._pace = pace

    def open(self, options: SearchOptions) -> "SlowStream":
        del options
        return SlowStream(self._pace)


class SlowStream(FakeStream):
    def __init__(self, pace: float) -> None:
        super().__init__()
        self._pace = pace

    def push(self, samples: Samples) -> Hypothesis:
        time.sleep(RTF / self._pace * len(samples) / SAMPLE_RATE)
        return super().push(samples)


@dataclass
class Household:
    """People who speak to one server, again and again, and what they are told."""

    engine: Engine
    pace: float
    tally: Tally = field(default_factory=Tally)
    answers: Counter[str] = field(default_factory=Counter)
    highest: Level = Level.NORMAL

    async def speak(self, people: int, seconds: float) -> None:
        """Let them speak for so long."""
        end = time.perf_counter() + seconds / self.pace
        noise = np.random.default_rng(3).normal(0, 3_000, round(UTTERANCE_S * SAMPLE_RATE))
        pcm = noise.astype("<i2").tobytes()

        async def person() -> None:
            while time.perf_counter() < end:
                try:
                    self.answers[await self._say(pcm)] += 1
                except OverloadedError as error:
                    self.answers[error.code] += 1
                    await asyncio.sleep(REFUSED_S / self.pace)
                self.highest = max(self.highest, self.engine.relief.level)

        await asyncio.gather(*(person() for _ in range(people)))

    async def _say(self, pcm: bytes) -> str:
        """Say one utterance at the pace of speech, or of the server; return the transcript."""
        step, due = round(PIECE_S * SAMPLE_RATE) * 2, time.perf_counter()
        with observed(self.tally, "test") as watch:
            async with self.engine.open(OPEN) as lease:
                watch.stats = lease.stats
                for start in range(0, len(pcm), step):
                    due += PIECE_S / self.pace
                    await asyncio.sleep(due - time.perf_counter())
                    await lease.accept(pcm[start : start + step])
                return (await lease.finish())[-1].text


@asynccontextmanager
async def household(places: int, pace: float) -> AsyncIterator[Household]:
    limits = replace(
        LIMITS,
        workers=1,
        max_utterances=places,
        max_waiting=2,
        admission_timeout_s=LIMITS.admission_timeout_s / pace,
    )
    slow = ModelSource("slow", partial(SlowRecognizer, pace))
    quick = ModelSource("quick", FakeRecognizer)
    engine = Engine(slow, limits, fallback=quick, degrade=ladder(pace))
    await engine.ready()
    yield Household(engine, pace)
    await engine.close()


@pytest.mark.slow
async def test_a_busy_server_that_keeps_up_does_without_nothing() -> None:
    async with household(4, STEADY) as home:
        await home.speak(people=2, seconds=40.0)
        assert set(home.answers) == {EVERYTHING}
        assert not home.engine.relief.counts


@pytest.mark.slow
@pytest.mark.parametrize(
    ("places", "people", "least", "answers"),
    [
        (10, 10, Level.DEGRADE, {EVERYTHING}),
        (20, 25, Level.FAILOVER, {EVERYTHING, OverloadedError.code}),
    ],
    ids=["three times", "six times"],
)
async def test_the_ladder_climbs_everyone_is_answered_and_all_is_well_again(
    places: int, people: int, least: Level, answers: set[str]
) -> None:
    async with household(places, FAST) as home:
        await home.speak(people, seconds=80.0)
        engine = home.engine
        assert home.highest >= least
        assert set(engine.relief.counts) >= {level for level in Level if 0 < level <= least}
        # Nothing is missing in any transcript, and nobody is left without an answer.
        assert set(home.answers) == answers
        counts = home.tally.counts.items()
        assert {label: count for (name, label), count in counts if name == "utterances"} == {
            f"test {'ok' if told == EVERYTHING else told}": count
            for told, count in home.answers.items()
        }
        await eventually(lambda: engine.relief.level is Level.NORMAL)
        await eventually(lambda: not engine.lifecycle.on_fallback)
        async with engine.open(OPEN) as lease:
            await lease.accept(b"\1\0" * SAMPLE_RATE)
            assert lease.model == "slow"
