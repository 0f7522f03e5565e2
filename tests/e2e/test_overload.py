"""Three times as much is asked as can be decoded: less comfort for all, words or an error for each.

Time runs faster here: what takes a second in a household takes `1 / PACE` of one.
"""

import asyncio
import time

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

PACE = 20.0
RTF = 0.3
"""Of the slow model, in a household's time, on its one thread."""
PLACES, CALLERS = 10, 14
"""Ten at once are three times what that thread can decode; the others wait, or are refused."""
UTTERANCE_S, PIECE_S, WORD_S = 12.8, 0.16, 0.32
OVERLOAD_S = 80.0
EVERYTHING = " ".join((SCRIPT * 7)[: round(UTTERANCE_S / WORD_S)])

LIMITS = EngineOptions(
    workers=1, max_utterances=PLACES, max_waiting=2, admission_timeout_s=10.0 / PACE
)
LADDER = DegradeOptions(
    # Only the waits: how fast a thread sleeps says nothing.
    rtf=(50.0, 60.0, 70.0, 80.0),
    queue_wait_s=(0.05 / PACE, 0.07 / PACE, 0.09 / PACE, 0.11 / PACE),
    short_window_s=10.0 / PACE,
    long_window_s=20.0 / PACE,
    hold_s=2.0 / PACE,
    calm_s=8.0 / PACE,
)


class SlowRecognizer(FakeRecognizer):
    """Hears what the fake model hears, and takes its time."""

    def open(self, options: SearchOptions) -> "SlowStream":
        del options
        return SlowStream()


class SlowStream(FakeStream):
    def push(self, samples: Samples) -> Hypothesis:
        time.sleep(RTF / PACE * len(samples) / SAMPLE_RATE)
        return super().push(samples)


def spoken() -> bytes:
    noise = np.random.default_rng(3).normal(0, 3_000, round(UTTERANCE_S * SAMPLE_RATE))
    return noise.astype("<i2").tobytes()


async def speak(engine: Engine, tally: Tally, pcm: bytes) -> str:
    """Say one utterance at the pace of speech; return what the client is told."""
    step, due = round(PIECE_S * SAMPLE_RATE) * 2, time.perf_counter()
    try:
        with observed(tally, "test") as watch:
            async with engine.open(OPEN) as lease:
                watch.stats = lease.stats
                for start in range(0, len(pcm), step):
                    due += PIECE_S / PACE
                    await asyncio.sleep(due - time.perf_counter())
                    await lease.accept(pcm[start : start + step])
                return (await lease.finish())[-1].text
    except OverloadedError as error:
        return error.code


@pytest.mark.slow
async def test_the_ladder_climbs_everyone_is_answered_and_all_is_well_again() -> None:
    engine = Engine(
        ModelSource("slow", SlowRecognizer),
        LIMITS,
        fallback=ModelSource("quick", FakeRecognizer),
        degrade=LADDER,
    )
    await engine.ready()
    tally, pcm, answers = Tally(), spoken(), []
    end = time.perf_counter() + OVERLOAD_S / PACE
    highest = Level.NORMAL

    async def call_again_and_again() -> None:
        nonlocal highest
        while time.perf_counter() < end:
            answers.append(await speak(engine, tally, pcm))
            highest = max(highest, engine.relief.level)

    await asyncio.gather(*(call_again_and_again() for _ in range(CALLERS)))

    assert highest is Level.FAILOVER
    assert set(engine.relief.counts) >= set(Level) - {Level.NORMAL}
    # Nothing is missing in any transcript, and nobody is left without an answer.
    assert set(answers) == {EVERYTHING, OverloadedError.code}
    told = {label: count for (name, label), count in tally.counts.items() if name == "utterances"}
    assert told == {
        "test ok": answers.count(EVERYTHING),
        f"test {OverloadedError.code}": answers.count(OverloadedError.code),
    }
    await eventually(lambda: engine.relief.level is Level.NORMAL)
    await eventually(lambda: not engine.lifecycle.on_fallback)
    async with engine.open(OPEN) as lease:
        await lease.accept(pcm[:32_000])
        assert lease.model == "slow"
    await engine.close()
