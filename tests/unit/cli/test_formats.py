import json

from wyoming_stt.cli.choices import OutputFormat
from wyoming_stt.cli.formats import RENDERERS, Transcription, render
from wyoming_stt.events import Word
from wyoming_stt.transcript import Transcript

TRANSCRIPTION = Transcription(
    file="køkken.wav",
    transcript=Transcript(
        text="tænd lys",
        token_ids=(3, 1),
        words=(Word("tænd", 1_600, 8_000, 0.98765), Word("lys", 8_000, 16_000, 0.5)),
        segments=(),
        duration_s=1.5,
        language="da",
        model="fake",
        confidence=0.702468,
    ),
    rtf=0.0123456,
)


def test_every_format_is_written() -> None:
    assert set(RENDERERS) == set(OutputFormat)


def test_text_is_the_words_alone() -> None:
    assert render(TRANSCRIPTION, OutputFormat.TEXT) == "tænd lys"


def test_json_is_one_object_a_line() -> None:
    line = render(TRANSCRIPTION, OutputFormat.JSON)
    assert "\n" not in line
    assert json.loads(line) == {
        "file": "køkken.wav",
        "text": "tænd lys",
        "token_ids": [3, 1],
        "words": [
            {"text": "tænd", "start": 0.1, "end": 0.5, "confidence": 0.9877},
            {"text": "lys", "start": 0.5, "end": 1.0, "confidence": 0.5},
        ],
        "confidence": 0.7025,
        "duration": 1.5,
        "rtf": 0.01235,
    }


def test_subtitles_begin_with_the_first_word() -> None:
    assert "00:00:00,100 --> 00:00:01,000\ntænd lys" in render(TRANSCRIPTION, OutputFormat.SRT)
    assert "00:00:00.100 --> 00:00:01.000\ntænd lys" in render(TRANSCRIPTION, OutputFormat.VTT)
