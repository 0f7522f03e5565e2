import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.chunks import cut, every
from tests.support.engines import Stuck, engine_on
from tests.support.onsets import FRAME, OnsetRecognizer
from tests.support.recognizers import ScriptedRecognizer, ScriptedStream
from tests.support.sound import loud, patterns, quiet
from wyoming_stt.audio.cut import CHOICE_S, CutOptions
from wyoming_stt.audio.endpoint import EndpointOptions
from wyoming_stt.audio.gate import VadOptions
from wyoming_stt.audio.pcm import AudioFormat
from wyoming_stt.decoding.hypothesis import Hypothesis
from wyoming_stt.engine import Engine, UtteranceOptions
from wyoming_stt.errors import InferenceError, OverloadedError
from wyoming_stt.events import Endpoint, Event, FinalTranscript, PartialTranscript, Word
from wyoming_stt.recording import Listening, RecordingOptions

OPTIONS = UtteranceOptions(
    vad=VadOptions(kind="energy"), endpoint=EndpointOptions.from_sensitivity("default")
)
SMALL = CutOptions(from_s=1.0, longest_s=4.0, long_pause_s=0.6, short_pause_s=0.2)
FILE = RecordingOptions(keep_silence=True, cut=SMALL)
MICROPHONE = RecordingOptions(keep_silence=False, cut=SMALL)
both = pytest.mark.parametrize("recording", [FILE, MICROPHONE], ids=["file", "microphone"])


async def listen(
    engine: Engine,
    pieces: Iterable[bytes],
    recording: RecordingOptions,
    options: UtteranceOptions = OPTIONS,
) -> list[Event]:
    async with Listening(engine, options, recording) as listening:
        events = [event for pcm in pieces for event in await listening.accept(pcm)]
        events += await listening.finish()
        assert not listening.holds_lease
        return events


def finals(events: Sequence[Event]) -> list[FinalTranscript]:
    return [event for event in events if isinstance(event, FinalTranscript)]


def words(events: Sequence[Event]) -> list[Word]:
    return [word for final in finals(events) for word in final.words]


def is_quiet(pcm: bytes, position: int) -> bool:
    around = pcm[max(0, 2 * position - 320) : 2 * position + 320]
    return not np.frombuffer(around, "<i2").any()


@both
@settings(max_examples=25, deadline=None)
@given(pcm=patterns(), data=st.data())
def test_any_chunking_gives_the_same_events(
    recording: RecordingOptions, pcm: bytes, data: st.DataObject
) -> None:
    pieces = data.draw(cut(pcm))

    async def both_ways() -> None:
        async with engine_on() as engine:
            whole = await listen(engine, [pcm], recording)
            assert await listen(engine, pieces, recording) == whole

    asyncio.run(both_ways())


@both
@settings(max_examples=25, deadline=None)
@given(pcm=patterns())
def test_positions_grow_and_the_final_transcript_is_last(
    recording: RecordingOptions, pcm: bytes
) -> None:
    async def check() -> None:
        async with engine_on() as engine:
            events = await listen(engine, every(pcm, 7_001), recording)
        assert isinstance(events[-1], FinalTranscript)
        assert all(a.position <= b.position for a, b in pairwise(finals(events)))
        said = words(events)
        assert all(a.end <= b.start for a, b in pairwise(said))
        assert all(0 <= word.start <= word.end <= len(pcm) // 2 for word in said)

    asyncio.run(check())


@settings(max_examples=40, deadline=None)
@given(pcm=patterns())
def test_a_file_is_never_cut_inside_speech_where_there_is_a_pause(pcm: bytes) -> None:
    recognizer = ScriptedRecognizer()

    async def check() -> None:
        async with engine_on(lambda: recognizer) as engine:
            await listen(engine, [pcm], FILE)

    asyncio.run(check())
    # The first stream is the engine's own warm-up; the rest are the pieces.
    sizes = [stream.num_samples for stream in recognizer.streams[1:]]
    assert sum(sizes) == len(pcm) // 2  # all of it is heard, and none of it twice
    ends = np.cumsum([0, *sizes])
    for start, end in pairwise(ends[:-1]):
        assert is_quiet(pcm, end) or end - start >= (4.0 - CHOICE_S) * 16_000


async def test_a_short_file_is_one_utterance_as_it_always_was() -> None:
    pcm = quiet(0.7) + loud(3) + quiet(2) + loud(5) + quiet(1)
    async with engine_on() as engine:
        (final,) = finals(await listen(engine, every(pcm, 4_000), RecordingOptions()))
        options = replace(OPTIONS, vad=VadOptions(kind="off"), endpoint=None)
        async with engine.open(options) as lease:
            await lease.accept(pcm)
            assert (await lease.finish())[-1] == final


@pytest.mark.parametrize("keep_silence", [True, False])
@pytest.mark.parametrize(
    ("rate", "bursts"),
    [
        (8_000, 60),
        (11_025, 60),
        (22_050, 60),
        (44_100, 60),
        pytest.param(16_000, 3_200, marks=pytest.mark.slow, id="an hour"),
    ],
)
async def test_word_times_are_those_of_the_whole_recording(
    rate: int, bursts: int, keep_silence: bool
) -> None:
    random = np.random.default_rng(rate)
    onsets = np.cumsum(random.uniform(0.25, 1.6, bursts) + 0.2) - 0.2
    pcm = _bursts(onsets, rate)
    options = replace(OPTIONS, format=AudioFormat(rate))
    recording = RecordingOptions(keep_silence=keep_silence)
    async with engine_on(OnsetRecognizer) as engine:
        said = words(await listen(engine, every(pcm, rate), recording, options))
    starts = np.array([word.start for word in said]) / 16_000
    assert len(starts) == len(onsets)
    # A frame of the recogniser, and what a resampler's filter rings before an edge.
    assert np.abs(starts - onsets).max() <= (FRAME + 16) / 16_000 <= 0.05


def _bursts(onsets_s: np.ndarray, rate: int) -> bytes:
    """A tone of 500 Hz for 0.2 s at each onset, and a second of silence."""
    samples = np.zeros(round((onsets_s[-1] + 1.2) * rate), "<i2")
    tone = np.sin(2 * np.pi * 500 * np.arange(rate // 5) / rate) * 12_000
    for onset_s in onsets_s:
        start = round(onset_s * rate)
        samples[start : start + len(tone)] = tone
    return samples.tobytes()


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


async def test_each_utterance_of_a_microphone_ends_where_the_speaker_does() -> None:
    pcm = (quiet(1.0) + loud(1.28) + quiet(1.0)) * 3
    async with engine_on() as engine:
        events = await listen(engine, every(pcm, 640), RecordingOptions(keep_silence=False))
    # 1.28 s are 4 chunks of the recogniser, or 5 where they begin within one.
    assert [len(final.words) in {4, 5} for final in finals(events)] == [True] * 3 + [False]
    ends = [event for event in events if isinstance(event, Endpoint)]
    assert [end.rule for end in ends] == ["speech-ended"] * 3
    for number, end in enumerate(ends):
        spoken = round((3.28 * number + 2.28) * 16_000)
        assert 0.6 * 16_000 <= end.position - spoken <= 1.0 * 16_000


async def test_who_speaks_on_and_on_is_cut_at_a_pause_not_at_a_rule() -> None:
    pcm = (loud(1.3) + quiet(0.4)) * 10
    async with engine_on() as engine:
        events = await listen(engine, every(pcm, 640), MICROPHONE)
    assert len(finals(events)) > 3
    assert not any(isinstance(event, Endpoint) for event in events[:-2])
    for final in finals(events)[:-1]:
        assert is_quiet(pcm, final.position)


async def test_what_follows_an_endpoint_is_heard_though_it_came_with_it() -> None:
    pcm = loud(1.28) + quiet(0.9) + loud(1.28)
    async with engine_on(gather_s=1.0) as engine:
        events = await listen(engine, [pcm], MICROPHONE)
    assert [len(final.words) in {4, 5} for final in finals(events)] == [True, True]


async def test_the_texts_of_partials_are_those_of_the_piece_in_hand() -> None:
    pcm = (loud(1.28) + quiet(1.0)) * 3
    async with engine_on() as engine:
        events = await listen(engine, every(pcm, 640), FILE)
    shown = [event for event in events if isinstance(event, PartialTranscript)]
    assert {event.text.split()[0] for event in shown} == {"turn"}
    assert [event.position for event in shown] == sorted(event.position for event in shown)


@both
async def test_nothing_is_an_empty_transcript(recording: RecordingOptions) -> None:
    async with engine_on() as engine:
        assert await listen(engine, [], recording) == [FinalTranscript(0, "", (), (), 0.0)]
        assert await listen(engine, [b"\1"], recording) == [FinalTranscript(0, "", (), (), 0.0)]


async def test_after_the_end_nothing_is_listened_to() -> None:
    async with engine_on() as engine, Listening(engine, OPTIONS, FILE) as listening:
        await listening.finish()
        assert await listening.accept(loud(1)) == []
        assert await listening.finish() == []
        assert listening.position == 0


async def test_statistics_are_of_the_whole_recording() -> None:
    async with engine_on() as engine, Listening(engine, OPTIONS, FILE) as listening:
        for pcm in every((loud(1) + quiet(1)) * 5, 3_200):
            await listening.accept(pcm)
        await listening.finish()
        assert listening.stats.audio_s == pytest.approx(10)
        assert listening.position == 160_000
        assert listening.stats.decode_s > 0
        assert listening.skipped_s == pytest.approx(0)


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


async def test_pieces_keep_within_what_the_engine_takes() -> None:
    async with engine_on(max_utterance_s=2.0) as engine:
        events = await listen(engine, [loud(11)], RecordingOptions())
    assert len(finals(events)) >= 6
