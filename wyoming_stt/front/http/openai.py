"""OpenAI's interface to transcription: its form, its answers, its events.

https://platform.openai.com/docs/api-reference/audio/createTranscription. What a transducer has no
counterpart for is named here, where it is made up for.
"""

import math
import zlib
from collections.abc import Sequence
from typing import Any, Final, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from wyoming_stt.errors import UnknownModelError
from wyoming_stt.events import Event, FinalTranscript, PartialTranscript
from wyoming_stt.front.http.answers import seconds
from wyoming_stt.front.http.errors import Problem
from wyoming_stt.front.http.options import HttpOptions
from wyoming_stt.front.http.wishes import MAX_NAME_CHARS, Wishes
from wyoming_stt.front.served import ServedModel
from wyoming_stt.transcript import Segment, Transcript

__all__ = [
    "Deltas",
    "ShortTranscription",
    "TextDelta",
    "TextDone",
    "TimedSegment",
    "TimedWord",
    "TranscriptionForm",
    "Usage",
    "VerboseTranscription",
    "done",
    "failed",
    "short",
    "verbose",
]

_LEAST_CONFIDENCE: Final = 1e-10
"""Where a logarithm is asked for."""


class TranscriptionForm(BaseModel):
    """The fields beside the file. Others of OpenAI's, such as `temperature`, are ignored."""

    model_config = ConfigDict(protected_namespaces=(), extra="ignore")

    model: str = Field(
        "",
        max_length=MAX_NAME_CHARS,
        description="One of `/v1/models`; OpenAI's own names (`whisper-1`, `gpt-…`) mean the "
        "active one.",
    )
    language: str = Field("", max_length=MAX_NAME_CHARS, description="A code: `en`.")
    prompt: str = Field(
        "", description="Its short phrases are favoured (hotwords); sentences count for nothing."
    )
    response_format: Literal["json", "text", "srt", "vtt", "verbose_json"] = "json"
    timestamp_granularities: list[Literal["word", "segment"]] = Field(
        default_factory=list,
        validation_alias=AliasChoices("timestamp_granularities[]", "timestamp_granularities"),
        serialization_alias="timestamp_granularities[]",
        max_length=8,
        description="What `verbose_json` has times of; default: segments.",
    )
    stream: bool = Field(False, description="Answer with events, while the file still comes in.")

    def wishes(self, served: ServedModel, options: HttpOptions) -> Wishes:
        """Check the form against the model.

        Raises:
            UnknownModelError, UnsupportedLanguageError: not here.
        """
        is_openai = self.model == "whisper-1" or self.model.startswith("gpt-")
        if not is_openai and self.model not in {"", served.name}:
            raise UnknownModelError(self.model, (served.name,))
        return Wishes.of_prompt(self.prompt, self.language, served, options)


class Usage(BaseModel):
    """What OpenAI would charge for."""

    type: Literal["duration"] = "duration"
    seconds: float


class ShortTranscription(BaseModel):
    """Format `json`."""

    text: str
    usage: Usage


class TimedWord(BaseModel):
    """A word; times in seconds."""

    word: str
    start: float
    end: float


class TimedSegment(BaseModel):
    """Words between two pauses; times in seconds."""

    id: int
    seek: int = Field(default=0, description="Always 0: there are no windows to seek.")
    start: float
    end: float
    text: str
    tokens: list[int] = Field(
        default=[], description="Always empty: they would mean nothing to Whisper."
    )
    temperature: float = Field(default=0.0, description="Always 0: nothing is sampled.")
    avg_logprob: float = Field(description="Logarithm of the words' mean confidence.")
    compression_ratio: float = Field(description="Length by compressed length, as in Whisper.")
    no_speech_prob: float = Field(
        ge=0, le=1, description="What is missing from the words' confidence to 1."
    )


class VerboseTranscription(BaseModel):
    """Format `verbose_json`."""

    task: Literal["transcribe"] = "transcribe"
    language: str = Field(description="A code such as `en`; `und` where nobody said.")
    duration: float
    text: str
    segments: list[TimedSegment] | None = None
    words: list[TimedWord] | None = None
    usage: Usage


class TextDelta(BaseModel):
    """Text to append to what came before; it will not change any more."""

    type: Literal["transcript.text.delta"] = "transcript.text.delta"
    delta: str


class TextDone(BaseModel):
    """The whole text: all deltas, one after the other."""

    type: Literal["transcript.text.done"] = "transcript.text.done"
    text: str
    usage: Usage


class Deltas:
    """Makes of events the text that can be sent without ever taking any of it back."""

    def __init__(self) -> None:
        self._before = ""
        self._sent = ""

    def of(self, event: Event) -> str:
        """Return what is new and settled."""
        match event:
            case PartialTranscript(committed=text) if text:
                pass
            case FinalTranscript(text=text) if text:
                pass
            case _:
                return ""
        delta = (self._before if not self._sent else "") + text[len(self._sent) :]
        self._sent = text
        if isinstance(event, FinalTranscript):
            self._before, self._sent = " ", ""
        return delta


def short(transcript: Transcript) -> ShortTranscription:
    """Answer in format `json`."""
    return ShortTranscription(text=transcript.text, usage=_usage(transcript))


def verbose(transcript: Transcript, granularities: Sequence[str]) -> VerboseTranscription:
    """Answer in format `verbose_json`."""
    words = [
        TimedWord(word=word.text, start=seconds(word.start), end=seconds(word.end))
        for word in transcript.words
    ]
    segments = [_segment(number, segment) for number, segment in enumerate(transcript.segments)]
    return VerboseTranscription(
        language=transcript.language,
        duration=round(transcript.duration_s, 3),
        text=transcript.text,
        segments=segments if "segment" in granularities or not granularities else None,
        words=words if "word" in granularities else None,
        usage=_usage(transcript),
    )


def done(transcript: Transcript) -> TextDone:
    """End an event stream."""
    return TextDone(text=transcript.text, usage=_usage(transcript))


def failed(problem: Problem) -> dict[str, Any]:
    """End an event stream that failed, as OpenAI's clients expect it there."""
    kind = "server_error" if problem.is_ours else "invalid_request_error"
    return {"error": {"message": problem.message, "type": kind, "code": problem.code}}


def _usage(transcript: Transcript) -> Usage:
    return Usage(seconds=math.ceil(transcript.duration_s))


def _segment(number: int, segment: Segment) -> TimedSegment:
    text = segment.text.encode()
    return TimedSegment(
        id=number,
        start=seconds(segment.start),
        end=seconds(segment.end),
        text=segment.text,
        avg_logprob=round(math.log(max(segment.confidence, _LEAST_CONFIDENCE)), 4),
        compression_ratio=round(len(text) / len(zlib.compress(text)), 4),
        no_speech_prob=round(1 - segment.confidence, 4),
    )
