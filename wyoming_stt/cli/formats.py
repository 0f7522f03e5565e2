"""How the result of one file is written: text, JSON, SubRip or WebVTT."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from wyoming_stt.cli.choices import OutputFormat
from wyoming_stt.text.captions import cues, srt, vtt
from wyoming_stt.transcript import Transcript
from wyoming_stt.types import seconds

__all__ = ["RENDERERS", "Transcription", "render"]


@dataclass(frozen=True, slots=True)
class Transcription:
    """What came out of one file; `rtf` is processing time by the audio's length."""

    file: str
    transcript: Transcript
    rtf: float


def render(transcription: Transcription, output: OutputFormat) -> str:
    """Write one file's result, without a newline at the end."""
    return RENDERERS[output](transcription)


def _text(transcription: Transcription) -> str:
    return transcription.transcript.text


def _json(transcription: Transcription) -> str:
    transcript = transcription.transcript
    return json.dumps(
        {
            "file": transcription.file,
            "text": transcript.text,
            "token_ids": transcript.token_ids,
            "words": [
                {
                    "text": word.text,
                    "start": round(seconds(word.start), 3),
                    "end": round(seconds(word.end), 3),
                    "confidence": round(word.confidence, 4),
                }
                for word in transcript.words
            ],
            "confidence": round(transcript.confidence, 4),
            "duration": round(transcript.duration_s, 3),
            "rtf": round(transcription.rtf, 5),
        },
        ensure_ascii=False,
    )


def _srt(transcription: Transcription) -> str:
    return srt(cues(transcription.transcript.words))


def _vtt(transcription: Transcription) -> str:
    return vtt(cues(transcription.transcript.words))


RENDERERS: Final[Mapping[OutputFormat, Callable[[Transcription], str]]] = {
    OutputFormat.TEXT: _text,
    OutputFormat.JSON: _json,
    OutputFormat.SRT: _srt,
    OutputFormat.VTT: _vtt,
}
