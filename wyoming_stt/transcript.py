"""What a whole recording says: the final transcripts of its pieces as one."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from wyoming_stt.events import FinalTranscript, Word
from wyoming_stt.types import SAMPLE_RATE

__all__ = ["Segment", "Transcript", "segments"]

MAX_PAUSE_S: Final = 0.9
"""A longer pause between two words begins a new segment: speakers change, sentences end."""
MAX_SEGMENT_S: Final = 30.0
"""As long as those of Whisper, which clients of its interface expect."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Words without a long pause between them; positions are those of the recording."""

    start: int
    end: int
    text: str
    words: tuple[Word, ...]
    confidence: float


@dataclass(frozen=True, slots=True)
class Transcript:
    """Everything that a client may want to know; `confidence` is the geometric mean of tokens'."""

    text: str
    words: tuple[Word, ...]
    segments: tuple[Segment, ...]
    token_ids: tuple[int, ...]
    duration_s: float
    language: str
    model: str
    confidence: float

    @classmethod
    def join(
        cls, finals: Iterable[FinalTranscript], *, duration_s: float, language: str, model: str
    ) -> Self:
        """Join the pieces of a recording, in their order."""
        spoken = [final for final in finals if final.text]
        words = tuple(word for final in spoken for word in final.words)
        return cls(
            text=" ".join(final.text for final in spoken),
            words=words,
            segments=segments(words),
            token_ids=tuple(token_id for final in spoken for token_id in final.token_ids),
            duration_s=duration_s,
            language=language,
            model=model,
            confidence=_geometric_mean(
                [(final.confidence, len(final.token_ids)) for final in spoken]
            ),
        )


def segments(words: Sequence[Word]) -> tuple[Segment, ...]:
    """Split words at pauses over 0.9 s, and before the word that would make 30 s too long."""
    groups: list[list[Word]] = []
    for word in words:
        if groups and _belongs(word, groups[-1]):
            groups[-1].append(word)
        else:
            groups.append([word])
    return tuple(map(_segment, groups))


def _belongs(word: Word, group: Sequence[Word]) -> bool:
    return (
        word.start - group[-1].end <= MAX_PAUSE_S * SAMPLE_RATE
        and word.end - group[0].start <= MAX_SEGMENT_S * SAMPLE_RATE
    )


def _segment(words: Sequence[Word]) -> Segment:
    text = " ".join(word.text for word in words)
    confidence = _geometric_mean([(word.confidence, 1) for word in words])
    return Segment(words[0].start, words[-1].end, text, tuple(words), confidence)


def _geometric_mean(values: Sequence[tuple[float, int]]) -> float:
    """Return the mean of (value, weight); 0 for none, or where one is 0."""
    weight = sum(weight for _, weight in values)
    if not weight or min(value for value, _ in values) <= 0:
        return 0.0
    return math.exp(math.fsum(n * math.log(value) for value, n in values) / weight)
