import math

import pytest
from openai.types.audio import Transcription, TranscriptionVerbose

from wyoming_stt.errors import UnknownModelError
from wyoming_stt.events import FinalTranscript, PartialTranscript, SpeechStarted, Word
from wyoming_stt.front.http.openai import Deltas, TranscriptionForm, short, verbose
from wyoming_stt.front.http.options import HttpOptions
from wyoming_stt.front.served import ServedModel
from wyoming_stt.transcript import Transcript

WORDS = (
    Word("turn", 0, 3_200, 0.5),
    Word("on", 4_800, 8_000, 0.5),
    Word("please", 48_000, 50_000, 1.0),
)
TRANSCRIPT = Transcript.join(
    [FinalTranscript(64_000, "turn on please", (1, 2, 3), WORDS, 0.7)],
    duration_s=3.2,
    language="en",
    model="home-en",
)


def final(text: str) -> FinalTranscript:
    return FinalTranscript(1, text, (), (), 1.0)


@pytest.mark.parametrize(
    ("events", "deltas"),
    [
        ([], []),
        ([SpeechStarted(0), final("")], []),
        ([final("turn on")], ["turn on"]),
        ([PartialTranscript(1, "turn", ""), final("turn on")], ["turn on"]),
        (
            [
                PartialTranscript(1, "turn", "turn"),
                PartialTranscript(1, "turn", "turn"),
                PartialTranscript(1, "turn off", "turn"),
                final("turn on"),
                PartialTranscript(2, "please", "ple"),
                final("please"),
                final(""),
            ],
            ["turn", " on", " ple", "ase"],
        ),
    ],
)
def test_deltas_are_the_text(events: list, deltas: list[str]) -> None:
    writer = Deltas()
    assert [delta for event in events if (delta := writer.of(event))] == deltas
    text = " ".join(e.text for e in events if isinstance(e, FinalTranscript) and e.text)
    assert "".join(deltas) == text


def test_the_package_reads_the_answers() -> None:
    answer = Transcription.model_validate(short(TRANSCRIPT).model_dump(), strict=True)
    assert answer.text == "turn on please"
    assert answer.usage.seconds == 4

    document = verbose(TRANSCRIPT, ["word", "segment"]).model_dump(exclude_none=True)
    answer = TranscriptionVerbose.model_validate(document, strict=True)
    assert [word.model_dump() for word in answer.words][1] == {
        "word": "on",
        "start": 0.3,
        "end": 0.5,
    }
    assert [
        (segment.id, segment.text, segment.start, segment.end) for segment in answer.segments
    ] == [
        (0, "turn on", 0.0, 0.5),
        (1, "please", 3.0, 3.125),
    ]
    assert answer.segments[0].avg_logprob == round(math.log(0.5), 4)
    assert answer.segments[0].no_speech_prob == 0.5


@pytest.mark.parametrize(
    ("granularities", "has_words", "has_segments"),
    [([], False, True), (["word"], True, False), (["word", "segment"], True, True)],
)
def test_granularities(granularities: list[str], has_words: bool, has_segments: bool) -> None:
    answer = verbose(TRANSCRIPT, granularities)
    assert (answer.words is not None, answer.segments is not None) == (has_words, has_segments)


def test_a_word_without_any_confidence() -> None:
    doubtful = (Word("turn", 0, 3_200, 0.0),)
    transcript = Transcript.join(
        [FinalTranscript(1, "turn", (), doubtful, 0.0)], duration_s=1, language="en", model=""
    )
    assert verbose(transcript, []).segments[0].avg_logprob < -20


@pytest.mark.parametrize("name", ["", "whisper-1", "gpt-4o-mini-transcribe", "home-en"])
def test_models(name: str) -> None:
    form = TranscriptionForm(model=name, prompt="Jarvis")
    assert (
        form.wishes(ServedModel("home-en", ("en",)), HttpOptions()).hotwords[0].phrase == "Jarvis"
    )


def test_another_model() -> None:
    with pytest.raises(UnknownModelError):
        TranscriptionForm(model="large").wishes(ServedModel("home-en", ("en",)), HttpOptions())
