"""What an utterance tells about itself, in the order in which it happens.

Positions are sample positions at 16 kHz, counted from the first sample of the utterance.
"""

from dataclasses import dataclass, replace

__all__ = [
    "Endpoint",
    "Event",
    "FinalTranscript",
    "PartialTranscript",
    "SpeechEnded",
    "SpeechStarted",
    "Word",
    "moved",
]


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a transcript; `confidence` is the geometric mean of its tokens' in [0, 1]."""

    text: str
    start: int
    end: int
    confidence: float


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The voice detector heard speech begin at `position`."""

    position: int


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The voice detector heard speech end at `position`."""

    position: int


@dataclass(frozen=True, slots=True)
class PartialTranscript:
    """The words so far. `text` begins with `committed`, which no later event will change."""

    position: int
    text: str
    committed: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The speaker has finished, says `rule`; audio after `position` is not listened to."""

    position: int
    rule: str


@dataclass(frozen=True, slots=True)
class FinalTranscript:
    """The words of the utterance, emitted exactly once and last."""

    position: int
    text: str
    token_ids: tuple[int, ...]
    words: tuple[Word, ...]
    confidence: float


Event = SpeechStarted | SpeechEnded | PartialTranscript | Endpoint | FinalTranscript
"""Everything `Session.accept` and `Session.finish` return."""


def moved(event: Event, offset: int) -> Event:
    """Return the event, its position and those of its words later by `offset` samples."""
    position = event.position + offset
    if not isinstance(event, FinalTranscript):
        return replace(event, position=position)
    words = (
        replace(word, start=word.start + offset, end=word.end + offset) for word in event.words
    )
    return replace(event, position=position, words=tuple(words))
