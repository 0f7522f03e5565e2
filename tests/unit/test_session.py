from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.chunks import cut, every
from tests.support.recognizers import ScriptedRecognizer, ScriptedStream
from tests.support.sound import loud, patterns, quiet
from wyoming_stt.audio.endpoint import EndpointOptions
from wyoming_stt.audio.gate import VadOptions
from wyoming_stt.audio.pcm import AudioFormat
from wyoming_stt.decoding.hypothesis import Hypothesis
from wyoming_stt.decoding.options import Hotword, SearchOptions
from wyoming_stt.events import (
    Endpoint,
    Event,
    FinalTranscript,
    PartialTranscript,
    SpeechEnded,
    SpeechStarted,
)
from wyoming_stt.models.base import Recognizer
from wyoming_stt.models.families.fake import FakeRecognizer
from wyoming_stt.session import Session, SessionState, UtteranceOptions

SECOND = 16_000
CHUNK = 5_120
FRAME = 640
OPEN = UtteranceOptions(vad=VadOptions(kind="off"))
GATED = UtteranceOptions(vad=VadOptions(kind="energy"))
ENDING = replace(GATED, endpoint=EndpointOptions())
ALL_OPTIONS = {"open": OPEN, "gated": GATED, "ending": ENDING}


def run(
    pieces: Iterable[bytes],
    options: UtteranceOptions = GATED,
    recognizer: Recognizer | None = None,
) -> list[Event]:
    session = Session(recognizer or FakeRecognizer(), options)
    events = [event for piece in pieces for event in session.accept(piece)]
    return events + session.finish()


def final(pieces: Iterable[bytes], options: UtteranceOptions = GATED) -> FinalTranscript:
    event = run(pieces, options)[-1]
    assert isinstance(event, FinalTranscript)
    return event


def of_type(kind: type, events: Iterable[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]


# What happens, and in which order.


@pytest.mark.parametrize("options", ALL_OPTIONS.values(), ids=ALL_OPTIONS)
def test_nothing_gives_an_empty_transcript(options: UtteranceOptions) -> None:
    assert run([], options) == [FinalTranscript(0, "", (), (), 0.0)]
    assert run([b"", b""], options) == [FinalTranscript(0, "", (), (), 0.0)]
    assert run([b"\0"], options) == [FinalTranscript(0, "", (), (), 0.0)]


def test_silence_gives_an_empty_transcript_and_is_never_decoded() -> None:
    recognizer = ScriptedRecognizer()
    events = run([quiet(9.99)] * 2, recognizer=recognizer)
    assert events == [FinalTranscript(2 * 159_840, "", (), (), 0.0)]
    assert [stream.sizes for stream in recognizer.streams] == [[]]


def test_events_come_in_the_order_in_which_they_happen() -> None:
    events = run(every(quiet(1) + loud(1.6) + quiet(1.4), 1_280))
    kinds = [type(event).__name__ for event in events]
    words = 6  # 1.0 s to 2.6 s touches six chunks of 320 ms
    assert kinds == [
        "SpeechStarted",
        *["PartialTranscript"] * words,
        "SpeechEnded",
        "FinalTranscript",
    ]
    assert events[0] == SpeechStarted(SECOND)
    assert events[-2] == SpeechEnded(round(2.6 * SECOND))
    positions = [event.position for event in events[:-2]]
    assert positions == sorted(positions)
    assert events[-1].position == 4 * SECOND


def test_speech_that_goes_on_to_the_end_ends_with_it() -> None:
    events = run([loud(1)])
    assert [type(event) for event in events[-2:]] == [SpeechEnded, FinalTranscript]
    assert events[-2].position == events[-1].position == SECOND


def test_without_a_gate_speech_is_not_told_of() -> None:
    events = run([quiet(1), loud(1), quiet(1)], OPEN)
    assert not of_type(SpeechStarted, events)
    assert not of_type(SpeechEnded, events)
    assert events[-1].text == "turn on the kitchen"


def test_what_nobody_said_is_counted_as_skipped() -> None:
    session = Session(FakeRecognizer(), GATED)
    session.accept(quiet(3))
    assert session.num_skipped == 3 * SECOND
    session.accept(loud(2))
    session.finish()
    assert SECOND < session.num_skipped < 3 * SECOND, "some is kept before speech"
    ungated = Session(FakeRecognizer(), OPEN)
    ungated.accept(quiet(3))
    ungated.finish()
    assert ungated.num_skipped == 0


@settings(max_examples=50)
@given(patterns(), st.data(), st.sampled_from(sorted(ALL_OPTIONS)))
def test_one_final_transcript_ends_it_all(pcm: bytes, data: st.DataObject, name: str) -> None:
    session = Session(FakeRecognizer(), ALL_OPTIONS[name])
    events = [event for piece in data.draw(cut(pcm)) for event in session.accept(piece)]
    if session.state is SessionState.LISTENING:
        assert not of_type(FinalTranscript, events)
        events += session.finish()
    assert session.state is SessionState.ENDED
    assert of_type(FinalTranscript, events) == events[-1:]
    assert session.accept(loud(1)) == session.finish() == []


# Any chunking has the same outcome.


@settings(max_examples=50)
@given(patterns(), st.data(), st.sampled_from(sorted(ALL_OPTIONS)))
def test_no_cut_changes_what_is_heard(pcm: bytes, data: st.DataObject, name: str) -> None:
    options = ALL_OPTIONS[name]
    whole, pieces = run([pcm], options), run(data.draw(cut(pcm)), options)
    assert pieces[-1] == whole[-1]
    for kind in (SpeechStarted, SpeechEnded, Endpoint):
        assert of_type(kind, pieces) == of_type(kind, whole)
    if options.endpoint is not None:
        assert pieces == whole


@pytest.mark.parametrize("options", ALL_OPTIONS.values(), ids=ALL_OPTIONS)
@pytest.mark.parametrize("size", [3, 639, 1_280, 2_047])
def test_pieces_of_one_size_change_nothing(options: UtteranceOptions, size: int) -> None:
    pcm = quiet(0.2) + loud(0.5) + quiet(1.3)
    assert run(every(pcm, size), options)[-1] == run([pcm], options)[-1]


@pytest.mark.parametrize(
    "audio_format",
    [AudioFormat(8_000), AudioFormat(44_100, 2, 2), AudioFormat(48_000, 3, 1)],
    ids=str,
)
def test_other_formats_are_heard_alike(audio_format: AudioFormat) -> None:
    rate, width, channels = audio_format.rate, audio_format.width, audio_format.channels
    time = np.arange(2 * rate) / rate
    wave = 0.1 * np.sin(2 * np.pi * 300 * time) * (time > 0.5) * (time < 1.5)
    values = np.repeat(np.round(wave * 2 ** (8 * width - 1)).astype("<i4"), channels)
    pcm = values.view(np.uint8).reshape(-1, 4)[:, :width].tobytes()
    options = replace(GATED, format=audio_format)
    events = run([pcm], options)
    assert events[-1].text == "turn on the kitchen"
    assert events[-1].position == 2 * SECOND
    assert events[0].position == pytest.approx(SECOND / 2, abs=320)
    for size in (1_001, 7_777):
        assert run(every(pcm, size), options)[-1] == events[-1]


# What the gate leaves out changes neither words nor their places.


@settings(max_examples=50)
@given(patterns(), st.integers(0, 12))
def test_a_gate_changes_no_word_and_no_place(pcm: bytes, silence_s: int) -> None:
    pcm = quiet(silence_s) + pcm
    # Speech of under 90 ms opens no gate.
    gated = replace(GATED, vad=replace(GATED.vad, min_speech_s=0.01))
    ours, plain = final([pcm], gated), final([pcm], OPEN)
    assert ours.token_ids == plain.token_ids
    assert ours.words == plain.words
    assert ours.position == plain.position == len(pcm) // 2


def test_words_are_where_they_were_said() -> None:
    transcript = final([quiet(30), loud(0.6), quiet(20), loud(0.6), quiet(1)])
    first = 30 * SECOND // CHUNK * CHUNK
    second = round(50.6 * SECOND) // CHUNK * CHUNK
    starts = [word.start for word in transcript.words]
    assert starts == [first, first + CHUNK, first + 2 * CHUNK, second, second + CHUNK]
    assert all(word.end == word.start + FRAME for word in transcript.words)


def late(stream: ScriptedStream) -> Hypothesis:
    """Hear a word in the silence after the last sample, as a model with a delay does."""
    frame = stream.num_samples // FRAME
    return Hypothesis((3, 4), (frame - 1, frame + 3), (0.0, 0.0), frame + 9, 2)


@pytest.mark.parametrize("options", [OPEN, GATED], ids=["open", "gated"])
def test_no_word_lies_past_the_end(options: UtteranceOptions) -> None:
    events = run([loud(1)], options, ScriptedRecognizer(finish=late))
    assert [(word.start, word.end) for word in events[-1].words] == [
        (SECOND - FRAME, SECOND),
        (SECOND, SECOND),
    ]


# Partial transcripts.


def scripted(
    *hypotheses: tuple[tuple[int, ...], int], log_probs: tuple[float, ...] = (0.0,) * 9
) -> ScriptedRecognizer:
    """Return one (token ids, how many committed) a push."""

    def hypothesis(stream: ScriptedStream) -> Hypothesis:
        token_ids, num_committed = hypotheses[min(len(stream.sizes), len(hypotheses)) - 1]
        frames = tuple(range(len(token_ids)))
        return Hypothesis(token_ids, frames, log_probs[: len(frames)], 99, num_committed)

    return ScriptedRecognizer(push=hypothesis, finish=hypothesis)


def test_a_partial_comes_when_words_change() -> None:
    recognizer = scripted(((), 0), ((3,), 0), ((3,), 0), ((3, 4), 1), ((3, 5), 1), ((3, 5), 1))
    events = run([loud(0.1)] * 6, OPEN, recognizer)
    assert events[:-1] == [
        PartialTranscript(3_200, "turn", ""),
        PartialTranscript(6_400, "turn on", "turn"),
        PartialTranscript(8_000, "turn the", "turn"),
    ]
    assert events[-1].text == "turn the"
    assert events[-1].token_ids == (3, 5)


UNLIKELY = (-1.0, -2.0)


def test_unlikely_words_were_noise() -> None:
    events = run([loud(0.1)] * 2, OPEN, scripted(((3,), 1), ((3, 4), 2), log_probs=UNLIKELY))
    assert [(type(e), e.text, e.words) for e in events] == [(FinalTranscript, "", ())]


@pytest.mark.parametrize(
    "search",
    [SearchOptions(min_confidence=0.0), SearchOptions(hotwords=(Hotword("turn on"),))],
    ids=["hear everything", "hotwords"],
)
def test_unlikely_words_stay_where_that_is_asked_for(search: SearchOptions) -> None:
    options = replace(OPEN, search=search)
    events = run([loud(0.1)] * 2, options, scripted(((3,), 1), ((3, 4), 2), log_probs=UNLIKELY))
    assert events[-1].text == "turn on"
    assert events[-2] == PartialTranscript(3_200, "turn on", "turn on")


def test_one_likely_word_vouches_for_the_others() -> None:
    recognizer = scripted(((3, 4), 1), ((3, 4), 2), log_probs=(-2.0, -0.1))
    events = run([loud(0.1)] * 2, OPEN, recognizer)
    assert events[:-1] == [PartialTranscript(1_600, "turn on", "")]
    assert events[-1].text == "turn on"


def test_words_taken_back_are_told_of() -> None:
    events = run([loud(0.1)] * 2, OPEN, scripted(((3,), 0), ((), 0)))
    assert events[:-1] == [PartialTranscript(1_600, "turn", ""), PartialTranscript(3_200, "", "")]


@settings(max_examples=50)
@given(patterns(), st.data())
def test_what_was_committed_stays(pcm: bytes, data: st.DataObject) -> None:
    *partials, last = run(data.draw(cut(pcm)), OPEN)
    committed = ""
    for partial in partials:
        assert partial.text.startswith(partial.committed)
        assert partial.committed.startswith(committed)
        committed = partial.committed
    assert last.text.startswith(committed)


def test_confidence_is_that_of_the_tokens() -> None:
    hypothesis = Hypothesis((3, 4), (0, 1), (float(np.log(0.5)), float(np.log(0.125))), 9, 2)
    events = run([loud(1)], OPEN, ScriptedRecognizer(finish=lambda _stream: hypothesis))
    assert events[-1].confidence == pytest.approx(0.25)
    assert [word.confidence for word in events[-1].words] == pytest.approx([0.5, 0.125])
    assert run([], OPEN, ScriptedRecognizer())[-1].confidence == 0.0
