from collections.abc import Iterable

import pytest

from tests.support.engines import engine_on
from tests.support.failing import FailingRecognizer
from tests.support.listening import MICROPHONE, OPTIONS, finals, listen
from tests.support.sound import loud, quiet
from wyoming_stt.engine import Engine
from wyoming_stt.errors import InferenceError, ModelNotReadyError, OverloadedError, SttError
from wyoming_stt.events import Event, SpeechStarted
from wyoming_stt.front.http.websocket.microphone import DEAF_S, Microphone
from wyoming_stt.recording import RecordingOptions

IMPATIENT = RecordingOptions(keep_silence=False, place_timeout_s=0.01)
UTTERANCE = loud(1.0) + quiet(2.0)
ODD = 3_333
"""Bytes; no whole number of samples."""


def microphone(engine: Engine, recording: RecordingOptions = MICROPHONE) -> Microphone:
    return Microphone(engine, OPTIONS, recording)


def cut(pcm: bytes, size: int = ODD) -> Iterable[bytes]:
    return (pcm[at : at + size] for at in range(0, len(pcm), size))


async def hear(into: Microphone, pcm: bytes) -> tuple[list[Event], list[SttError]]:
    events: list[Event] = []
    errors: list[SttError] = []
    for piece in cut(pcm):
        try:
            events += await into.accept(piece)
        except SttError as error:
            errors.append(error)
    return events, errors


async def test_it_hears_what_listening_hears() -> None:
    pcm = quiet(1.0) + UTTERANCE + UTTERANCE
    async with engine_on() as engine:
        expected = await listen(engine, cut(pcm), MICROPHONE, OPTIONS)
        async with microphone(engine) as tested:
            events, errors = await hear(tested, pcm)
            assert events + await tested.finish() == expected
    assert not errors
    assert len([final for final in finals(expected) if final.text]) == 2


async def test_after_an_error_a_fresh_stream_goes_on_at_the_right_time() -> None:
    recognizer = FailingRecognizer()
    async with engine_on(lambda: recognizer) as engine, microphone(engine) as tested:
        recognizer.is_broken = True
        _, errors = await hear(tested, UTTERANCE)
        assert errors
        assert {type(error) for error in errors} == {InferenceError}
        assert not tested.holds_lease
        assert engine.free_places == engine.options.max_utterances
        recognizer.is_broken = False
        events, errors = await hear(tested, UTTERANCE)
        assert not errors
        (final,) = finals(events)
        assert final.text.startswith("turn on the")
        (begin,) = (event.position for event in events if isinstance(event, SpeechStarted))
        assert begin == pytest.approx(3.0 * 16_000, abs=0.05 * 16_000)
        assert tested.stats.audio_s == pytest.approx(6.0)
        assert 1.0 < tested.stats.skipped_s < 6.0


async def test_a_busy_engine_is_not_asked_for_every_word() -> None:
    async with engine_on(max_utterances=1) as engine, microphone(engine, IMPATIENT) as tested:
        async with engine.open(OPTIONS):
            events, errors = await hear(tested, loud(DEAF_S))
            assert (events, [type(error) for error in errors]) == ([], [OverloadedError])
            _, errors = await hear(tested, loud(DEAF_S))
            assert [type(error) for error in errors] == [OverloadedError]
        events, errors = await hear(tested, quiet(DEAF_S) + UTTERANCE)
        assert not errors
        (final,) = finals(events)
        assert final.text.startswith("turn on the")


async def test_a_model_that_is_not_there_is_an_error_and_then_nothing() -> None:
    def fail() -> FailingRecognizer:
        raise ModelNotReadyError("damaged")

    async with engine_on(fail, wait=False) as engine, microphone(engine) as tested:
        _, errors = await hear(tested, loud(DEAF_S))
        assert [type(error) for error in errors] == [ModelNotReadyError]
        (final,) = finals(await tested.finish())
        assert not final.text


async def test_the_end_may_fail_once() -> None:
    recognizer = FailingRecognizer()
    async with engine_on(lambda: recognizer, gather_s=5.0) as engine, microphone(engine) as tested:
        await hear(tested, loud(0.5))
        recognizer.is_broken = True
        with pytest.raises(InferenceError):
            await tested.finish()
        (final,) = finals(await tested.finish())
        assert (final.text, final.position) == ("", 8_000)


async def test_calm_is_a_while_without_speech() -> None:
    async with engine_on() as engine, microphone(engine) as tested:
        assert not tested.is_calm
        await hear(tested, quiet(2.5))
        assert tested.is_calm
        await hear(tested, loud(0.5))
        assert not tested.is_calm
        assert tested.holds_lease
        await hear(tested, quiet(2.0))
        assert not tested.is_calm
        await hear(tested, quiet(2.0))
        assert tested.is_calm


async def test_leaving_frees_the_lease() -> None:
    async with engine_on() as engine:
        async with microphone(engine) as tested:
            await hear(tested, loud(0.5))
            assert engine.free_places == engine.options.max_utterances - 1
        assert engine.free_places == engine.options.max_utterances
