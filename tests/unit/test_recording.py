import asyncio
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.chunks import cut, every
from tests.support.engines import engine_on
from tests.support.listening import FILE, MICROPHONE, OPTIONS, both, finals, is_quiet, listen, words
from tests.support.onsets import FRAME, OnsetRecognizer
from tests.support.recognizers import ScriptedRecognizer
from tests.support.sound import loud, patterns, quiet
from wyoming_stt.audio.cut import CHOICE_S
from wyoming_stt.audio.gate import VadOptions
from wyoming_stt.audio.pcm import AudioFormat
from wyoming_stt.events import Endpoint, FinalTranscript, PartialTranscript
from wyoming_stt.recording import Listening, RecordingOptions


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


async def test_pieces_keep_within_what_the_engine_takes() -> None:
    async with engine_on(max_utterance_s=2.0) as engine:
        events = await listen(engine, [loud(11)], RecordingOptions())
    assert len(finals(events)) >= 6
