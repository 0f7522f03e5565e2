import asyncio
import contextlib
from dataclasses import replace

import pytest

from tests.support.chunks import every
from tests.support.engines import Stuck, engine_on, eventually
from tests.support.listening import FILE, MICROPHONE, OPTIONS, both, finals, listen, words
from tests.support.recognizers import ScriptedRecognizer, ScriptedStream
from tests.support.sound import loud, quiet
from wyoming_stt.decoding.hypothesis import Hypothesis
from wyoming_stt.decoding.options import SearchOptions
from wyoming_stt.engine import Engine
from wyoming_stt.errors import InferenceError, OverloadedError
from wyoming_stt.events import FinalTranscript
from wyoming_stt.models.families.fake import FakeRecognizer, FakeStream
from wyoming_stt.recording import Listening, RecordingOptions


async def test_a_microphone_holds_a_lease_only_while_someone_speaks() -> None:
    async with (
        engine_on(max_utterances=3) as engine,
        Listening(engine, OPTIONS, MICROPHONE) as listening,
    ):
        held = []
        for pcm in every(quiet(3.2) + loud(1.6) + quiet(3.2), 5_120):
            await listening.accept(pcm)
            assert engine.free_places == 3 - listening.holds_lease
            held.append(listening.holds_lease)
        assert held[:20] == [False] * 20
        assert held[21:30] == [True] * 9
        assert held[36:] == [False] * 14
        assert 3.2 < listening.skipped_s < 6.4


async def test_silence_costs_no_lease_at_all() -> None:
    async with engine_on(max_utterances=1) as engine, contextlib.AsyncExitStack() as stack:
        silent = [
            await stack.enter_async_context(Listening(engine, OPTIONS, MICROPHONE))
            for _ in range(20)
        ]
        for listening in silent:
            assert await listening.accept(quiet(2)) == []
        assert words(await listen(engine, [loud(1)], MICROPHONE))
        for listening in silent:
            (final,) = await listening.finish()
            assert final == FinalTranscript(32_000, "", (), (), 0.0)


async def test_leaving_frees_the_lease_at_any_time() -> None:
    stuck = Stuck()

    def push(stream: ScriptedStream) -> Hypothesis:
        if stream.number > 0:
            stuck()
        raise ValueError("too late")

    recognizer = ScriptedRecognizer()
    async with engine_on(lambda: recognizer, workers=1) as engine:
        recognizer.push = push

        async def speak() -> None:
            async with Listening(engine, OPTIONS, FILE) as listening:
                await listening.accept(loud(3))

        speaker = asyncio.create_task(speak())
        await stuck.has_started()
        assert engine.free_places == 31
        speaker.cancel()
        with pytest.raises(asyncio.CancelledError):
            await speaker
        assert engine.free_places == 32
        stuck.let_go.set()


@both
@pytest.mark.parametrize("steps", range(0, 24, 3))
async def test_cancelling_at_any_step_leaks_nothing(
    recording: RecordingOptions, steps: int
) -> None:
    async with engine_on() as engine:
        speaker = asyncio.create_task(
            listen(engine, every((loud(0.6) + quiet(1)) * 4, 3_200), recording)
        )
        for _ in range(steps):
            await asyncio.sleep(0)
        speaker.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await speaker
        assert engine.free_places == 32


@both
async def test_after_a_failure_listening_goes_on_with_a_fresh_piece(
    recording: RecordingOptions,
) -> None:
    recognizer = ScriptedRecognizer()

    def fail(_: ScriptedStream) -> Hypothesis:
        raise ValueError("out of order")

    async with engine_on(lambda: recognizer) as engine:
        recognizer.push, working = fail, recognizer.push
        async with Listening(engine, OPTIONS, recording) as listening:
            with pytest.raises(InferenceError):
                await listening.accept(loud(2))
            assert not listening.holds_lease
            assert engine.free_places == 32
            recognizer.push = working
            await listening.accept(loud(2))
            assert (await listening.finish())[-1].position == 64_000


async def test_who_finds_no_place_is_told_and_loses_no_word_where_one_becomes_free() -> None:
    async with (
        engine_on(max_utterances=1, max_waiting=0) as engine,
        Listening(engine, OPTIONS, MICROPHONE) as listening,
    ):
        async with engine.open(OPTIONS):
            await listening.accept(quiet(0.96))
            with pytest.raises(OverloadedError):
                await listening.accept(loud(0.32))
        await listening.accept(loud(0.96))
        assert len(words(await listening.finish())) == 4


async def test_a_file_that_was_let_in_is_not_turned_away_between_its_pieces() -> None:
    hasty = replace(FILE, place_timeout_s=0.01)
    came, may_leave = asyncio.Event(), asyncio.Event()

    async def visit(engine: Engine) -> None:
        async with engine.open(OPTIONS):
            came.set()
            await may_leave.wait()

    async with (
        engine_on(max_utterances=1, max_waiting=1) as engine,
        Listening(engine, OPTIONS, hasty) as listening,
    ):
        await listening.accept(loud(1.28))
        visitor = asyncio.create_task(visit(engine))
        await eventually(lambda: engine.queue_depth == 1)
        going_on = asyncio.create_task(listening.accept(quiet(1) + loud(1.28)))
        await came.wait()
        with pytest.raises(OverloadedError):
            await listen(engine, [loud(1)], hasty)
        assert not going_on.done()
        may_leave.set()
        await visitor
        assert len(finals(await going_on)) == 1
        assert words(await listening.finish())


class _Faulty(FakeRecognizer):
    """Opens so many streams."""

    left = 2  # that of the warm-up is one

    def open(self, options: SearchOptions) -> FakeStream:
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("broken")
        return super().open(options)


@both
async def test_what_was_heard_before_a_failure_is_told_before_it(
    recording: RecordingOptions,
) -> None:
    async with (
        engine_on(_Faulty) as engine,
        Listening(engine, OPTIONS, recording) as listening,
    ):
        events = await listening.accept(loud(1.28) + quiet(1) + loud(1.28))
        assert len(finals(events)) == 1
        assert words(events)
        with pytest.raises(InferenceError):
            await listening.accept(b"")
        assert not listening.holds_lease
