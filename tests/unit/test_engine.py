import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.support.chunks import every
from tests.support.engines import OPEN, Stuck, engine_on
from tests.support.recognizers import ScriptedRecognizer, ScriptedStream
from tests.support.sound import loud, quiet
from wyoming_stt.audio.endpoint import EndpointOptions
from wyoming_stt.audio.pcm import AudioFormat
from wyoming_stt.decoding.hypothesis import EMPTY, Hypothesis
from wyoming_stt.engine import Engine, LeaseStats, UtteranceOptions
from wyoming_stt.errors import (
    InferenceError,
    InferenceTimeoutError,
    LimitError,
    ShuttingDownError,
)
from wyoming_stt.events import Event, FinalTranscript
from wyoming_stt.models.families.fake import FakeRecognizer
from wyoming_stt.session import Session

SECOND = 16_000
WORDS = ("turn", "on", "the", "kitchen", "light", "please")


@pytest.fixture
def stuck() -> Iterator[Stuck]:
    call = Stuck()
    yield call
    call.let_go.set()


async def transcribe(
    engine: Engine, *pieces: bytes, options: UtteranceOptions = OPEN
) -> FinalTranscript:
    async with engine.open(options) as lease:
        for piece in pieces:
            await lease.accept(piece)
        return (await lease.finish())[-1]


def after_warm_up(recognizer: ScriptedRecognizer) -> list[ScriptedStream]:
    return recognizer.streams[1:]


# What goes in, comes out.


@pytest.mark.parametrize("size", [3_201, 32_000, 320_000])
async def test_events_are_those_of_a_session(size: int) -> None:
    pcm = quiet(0.5) + loud(2.5) + quiet(2)
    options = UtteranceOptions(endpoint=EndpointOptions())
    session, expected = Session(FakeRecognizer(), options), []
    for piece in every(pcm, size):
        expected += session.accept(piece)
    expected += session.finish()
    async with engine_on() as engine, engine.open(options) as lease:
        events: list[Event] = []
        for piece in every(pcm, size):
            events += await lease.accept(piece)
        assert events + await lease.finish() == expected


async def test_an_ended_utterance_hears_nothing_more() -> None:
    options = UtteranceOptions(endpoint=EndpointOptions())
    async with engine_on() as engine, engine.open(options) as lease:
        assert isinstance((await lease.accept(quiet(3)))[-1], FinalTranscript)
        assert await lease.accept(loud(1)) == []
        assert await lease.finish() == await lease.finish() == []


async def test_utterances_do_not_meet() -> None:
    async with engine_on() as engine:
        finals = await asyncio.gather(
            *(transcribe(engine, *every(loud(0.32 * i), 4_000)) for i in range(1, 7))
        )
    assert [final.text for final in finals] == [" ".join(WORDS[:i]) for i in range(1, 7)]


async def test_small_pieces_are_gathered() -> None:
    recognizer = ScriptedRecognizer()
    async with engine_on(lambda: recognizer, gather_s=0.08) as engine:
        await transcribe(engine, *every(loud(0.25), 320))
    (stream,) = after_warm_up(recognizer)
    assert stream.sizes == [1_280, 1_280, 1_280, 160]


async def test_what_an_utterance_cost_is_counted() -> None:
    async with engine_on() as engine, engine.open(OPEN) as lease:
        assert replace(lease.stats, queue_s=0.0) == LeaseStats()
        assert lease.stats.rtf == 0.0
        for piece in every(loud(1.5), 1_001):
            await lease.accept(piece)
        await lease.finish()
    assert lease.stats.audio_s == pytest.approx(1.5)
    assert lease.stats.queue_s > 0
    assert lease.stats.rtf == lease.stats.decode_s / lease.stats.audio_s > 0


# One that fails, and the others.


def raise_in_second(stream: ScriptedStream) -> Hypothesis:
    if stream.number == 2:
        raise RuntimeError("non-zero status code while running the node")
    return EMPTY


async def test_a_failing_utterance_is_nobody_elses() -> None:
    recognizer = ScriptedRecognizer(push=raise_in_second)
    async with engine_on(lambda: recognizer) as engine:
        async with engine.open(OPEN) as first, engine.open(OPEN) as second:
            await first.accept(loud(0.1))
            with pytest.raises(InferenceError, match="RuntimeError: non-zero status code"):
                await second.accept(loud(0.1))
            assert len(await first.finish()) == 1
        assert (await transcribe(engine, loud(0.1))).text == ""


async def test_a_stuck_utterance_is_nobody_elses(stuck: Stuck) -> None:
    def push(stream: ScriptedStream) -> Hypothesis:
        if stream.number == 1:
            stuck()
        return EMPTY

    recognizer = ScriptedRecognizer(push=push)
    async with engine_on(lambda: recognizer, workers=1, inference_timeout_s=0.3) as engine:
        with pytest.raises(InferenceTimeoutError):
            await transcribe(engine, loud(0.1))
        assert (await transcribe(engine, loud(0.1))).position == SECOND // 10
        stuck.let_go.set()


async def test_an_utterance_may_be_as_long_as_the_limit_and_no_longer() -> None:
    async with engine_on(max_utterance_s=2.0) as engine:
        assert (await transcribe(engine, loud(1), loud(1))).position == 2 * SECOND
        with pytest.raises(LimitError, match=r"limit is 2 s .setting engine\.max_utterance_s."):
            await transcribe(engine, loud(2) + b"\0")


async def test_the_limit_is_on_what_was_spoken_not_on_bytes() -> None:
    options = UtteranceOptions(format=AudioFormat(48_000, 4, 2), vad=OPEN.vad)
    async with engine_on(max_utterance_s=1.0) as engine:
        final = await transcribe(engine, bytes(48_000 * 4 * 2), options=options)
        assert final.position == SECOND


# Turns.


async def test_a_long_utterance_takes_turns_with_a_short_one(stuck: Stuck) -> None:
    turns: list[int] = []

    def push(stream: ScriptedStream) -> Hypothesis:
        turns.append(stream.number)
        if stream.number == 1:
            stuck()
        return EMPTY

    recognizer = ScriptedRecognizer(push=push)
    async with (
        engine_on(lambda: recognizer, workers=1, slice_s=1.0) as engine,
        engine.open(OPEN) as long,
        engine.open(OPEN) as short,
    ):
        await long.accept(b"")
        await short.accept(b"")
        turns.clear()
        first = asyncio.create_task(long.accept(loud(60)))
        await stuck.has_started()
        second = asyncio.create_task(short.accept(loud(3)))
        await asyncio.sleep(0)
        stuck.let_go.set()
        await asyncio.gather(first, second)
    assert turns == [1, 2, 1, 2, 1, 2] + [1] * 57
    assert {size for stream in recognizer.streams for size in stream.sizes[1:]} == {SECOND}


# The end.


async def test_a_closed_engine_takes_nothing() -> None:
    async with engine_on() as engine:
        await engine.close()
        with pytest.raises(ShuttingDownError):
            await transcribe(engine, loud(1))
        with pytest.raises(ShuttingDownError):
            await engine.ready()


async def test_open_utterances_fail_at_their_next_call() -> None:
    async with engine_on() as engine, engine.open(OPEN) as begun, engine.open(OPEN) as idle:
        await begun.accept(loud(1))
        await engine.close()
        for call in (begun.accept(loud(1)), begun.finish(), idle.accept(loud(1))):
            with pytest.raises(ShuttingDownError):
                await call


async def test_an_utterance_in_the_middle_of_its_turns_is_told_of_the_end(stuck: Stuck) -> None:
    def push(stream: ScriptedStream) -> Hypothesis:
        if stream.number:
            stuck()
        return EMPTY

    async with engine_on(lambda: ScriptedRecognizer(push=push)) as engine:
        long = asyncio.create_task(transcribe(engine, loud(60)))
        await stuck.has_started()
        stuck.let_go.set()
        await engine.close()
        with pytest.raises(ShuttingDownError):
            await long


async def test_a_caller_may_leave_at_any_time(stuck: Stuck) -> None:
    def push(stream: ScriptedStream) -> Hypothesis:
        if stream.number == 1:
            stuck()
        return EMPTY

    recognizer = ScriptedRecognizer(push=push)
    async with engine_on(lambda: recognizer, max_utterances=1) as engine:
        left = asyncio.create_task(transcribe(engine, loud(1)))
        await stuck.has_started()
        left.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await left
        assert (await transcribe(engine, loud(1))).position == SECOND
        stuck.let_go.set()
