"""A transcript as the routes answer it: JSON, captions or plain text."""

from collections.abc import Iterable

from fastapi import Response

from wyoming_stt.events import Word
from wyoming_stt.front.http.schemas import HeardSegment, HeardWord, NoDiarization, Transcription
from wyoming_stt.text import captions
from wyoming_stt.transcript import Segment, Transcript
from wyoming_stt.types import SAMPLE_RATE

__all__ = ["TEXT_TYPES", "as_text", "heard_words", "seconds", "transcription"]

TEXT_TYPES = {"text": "text/plain", "srt": "application/x-subrip", "vtt": "text/vtt"}
"""Media types of the formats that are no JSON."""


def as_text(transcript: Transcript, kind: str) -> Response:
    """Answer in one of `TEXT_TYPES`."""
    match kind:
        case "srt":
            text = captions.srt(captions.cues(transcript.words))
        case "vtt":
            text = captions.vtt(captions.cues(transcript.words))
        case _:
            text = transcript.text
    return Response(f"{text}\n", media_type=f"{TEXT_TYPES[kind]}; charset=utf-8")


def transcription(transcript: Transcript, rtf: float, *, wants_speakers: bool) -> Transcription:
    """Answer with everything that is known."""
    return Transcription(
        text=transcript.text,
        words=heard_words(transcript.words),
        segments=[_segment(segment) for segment in transcript.segments],
        duration=round(transcript.duration_s, 3),
        language=transcript.language,
        model=transcript.model,
        rtf=round(rtf, 4),
        confidence=round(transcript.confidence, 4),
        diarization=NoDiarization() if wants_speakers else None,
    )


def heard_words(words: Iterable[Word]) -> list[HeardWord]:
    """Words with their times in seconds."""
    return [
        HeardWord(
            word=word.text,
            start=seconds(word.start),
            end=seconds(word.end),
            confidence=round(word.confidence, 4),
        )
        for word in words
    ]


def seconds(position: int) -> float:
    """Turn a sample position into seconds, to the millisecond."""
    return round(position / SAMPLE_RATE, 3)


def _segment(segment: Segment) -> HeardSegment:
    return HeardSegment(
        start=seconds(segment.start),
        end=seconds(segment.end),
        text=segment.text,
        words=heard_words(segment.words),
        confidence=round(segment.confidence, 4),
    )
