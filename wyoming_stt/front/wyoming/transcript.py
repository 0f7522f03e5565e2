"""What the client hears of an utterance: engine events in, Wyoming messages out."""

from collections.abc import Iterable, Iterator
from typing import Any

from wyoming.asr import Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.event import Eventable
from wyoming.vad import VoiceStarted, VoiceStopped

from wyoming_stt.events import (
    Event,
    FinalTranscript,
    PartialTranscript,
    SpeechEnded,
    SpeechStarted,
)
from wyoming_stt.types import SAMPLE_RATE

__all__ = ["TranscriptWriter"]


class TranscriptWriter:
    """Writes one utterance: `transcript-start`, chunks to append, `transcript`, `transcript-stop`.

    The protocol has no way to take a chunk back, so only committed text becomes one; together the
    chunks are the transcript.
    """

    def __init__(self, language: str | None, context: dict[str, Any] | None) -> None:
        self._language = language
        self._context = context
        self._sent: str | None = None

    def write(self, events: Iterable[Event]) -> Iterator[Eventable]:
        """Yield the messages for what has happened; timestamps are ms of audio since its start."""
        for event in events:
            match event:
                case SpeechStarted(position):
                    yield VoiceStarted(_milliseconds(position))
                case SpeechEnded(position):
                    yield VoiceStopped(_milliseconds(position))
                case PartialTranscript(committed=committed) if committed:
                    yield from self._append(committed)
                case FinalTranscript(text=text):
                    yield from self._append(text)
                    yield Transcript(text, context=self._context, language=self._language)
                    yield TranscriptStop()

    def _append(self, text: str) -> Iterator[Eventable]:
        if self._sent is None:
            self._sent = ""
            yield TranscriptStart(context=self._context, language=self._language)
        if piece := text[len(self._sent) :]:
            yield TranscriptChunk(piece)
        self._sent = text


def _milliseconds(position: int) -> int:
    return position * 1000 // SAMPLE_RATE
