import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wyoming.asr import Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.event import Eventable
from wyoming.vad import VoiceStarted, VoiceStopped

from wyoming_stt.events import (
    Endpoint,
    Event,
    FinalTranscript,
    PartialTranscript,
    SpeechEnded,
    SpeechStarted,
)
from wyoming_stt.front.wyoming.transcript import TranscriptWriter


def partial(committed: str, tentative: str = "") -> PartialTranscript:
    return PartialTranscript(0, committed + tentative, committed)


def final(text: str) -> FinalTranscript:
    return FinalTranscript(0, text, (), (), 1.0)


def write(*events: Event) -> list[Eventable]:
    return list(TranscriptWriter("en", {"turn": 1}).write(events))


def test_an_utterance_in_the_protocols_words() -> None:
    assert write(
        SpeechStarted(16_000),
        partial("turn", " of"),
        partial("turn off", " the"),
        SpeechEnded(40_008),
        Endpoint(50_000, "speech-ended"),
        final("turn off the light"),
    ) == [
        VoiceStarted(1000),
        TranscriptStart(context={"turn": 1}, language="en"),
        TranscriptChunk("turn"),
        TranscriptChunk(" off"),
        VoiceStopped(2500),
        TranscriptChunk(" the light"),
        Transcript("turn off the light", context={"turn": 1}, language="en"),
        TranscriptStop(),
    ]


def test_silence_is_an_empty_transcript() -> None:
    assert write(final("")) == [
        TranscriptStart(context={"turn": 1}, language="en"),
        Transcript("", context={"turn": 1}, language="en"),
        TranscriptStop(),
    ]


@pytest.mark.parametrize("uncommitted", [partial(""), partial("", "turn")])
def test_nothing_is_sent_that_may_change(uncommitted: Event) -> None:
    assert write(uncommitted) == []


@given(st.text(), st.lists(st.integers(0, 100)))
def test_chunks_together_are_the_transcript(text: str, cuts: list[int]) -> None:
    partials = [partial(text[:cut], "?") for cut in sorted(cuts)]
    sent = write(*partials, final(text))
    chunks = [message.text for message in sent if isinstance(message, TranscriptChunk)]
    assert "".join(chunks) == text
    assert all(chunks)
    kinds = [kind for kind, _ in itertools.groupby(sent, type)]
    expected = [TranscriptStart, TranscriptChunk, Transcript, TranscriptStop]
    assert kinds == [kind for kind in expected if text or kind is not TranscriptChunk]
