"""Words with times become captions that a viewer can read: SubRip and WebVTT."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from wyoming_stt.events import Word
from wyoming_stt.types import SAMPLE_RATE

__all__ = ["Cue", "cues", "srt", "vtt"]

# The limits broadcasters give their subtitlers (BBC and Netflix style guides agree on these).
MAX_CHARACTERS: Final = 84
"""Two lines of 42 characters."""
MAX_CUE_S: Final = 7.0
MAX_PAUSE_S: Final = 1.0
"""A longer pause between two words begins a new cue."""


@dataclass(frozen=True, slots=True)
class Cue:
    """Text on the screen from `start` to `end`, sample positions."""

    start: int
    end: int
    text: str


def cues(words: Sequence[Word]) -> list[Cue]:
    """Group words into cues."""
    groups: list[list[Word]] = []
    for word in words:
        if groups and _belongs(word, groups[-1]):
            groups[-1].append(word)
        else:
            groups.append([word])
    return [
        Cue(group[0].start, group[-1].end, " ".join(word.text for word in group))
        for group in groups
    ]


def srt(shown: Iterable[Cue]) -> str:
    """Write SubRip."""
    return "\n\n".join(
        f"{number}\n{_time(cue.start, ',')} --> {_time(cue.end, ',')}\n{cue.text}"
        for number, cue in enumerate(shown, 1)
    )


def vtt(shown: Iterable[Cue]) -> str:
    """Write WebVTT."""
    blocks = [f"{_time(cue.start, '.')} --> {_time(cue.end, '.')}\n{cue.text}" for cue in shown]
    return "\n\n".join(["WEBVTT", *blocks])


def _belongs(word: Word, group: Sequence[Word]) -> bool:
    characters = sum(len(member.text) + 1 for member in group) + len(word.text)
    return (
        characters <= MAX_CHARACTERS
        and word.end - group[0].start <= MAX_CUE_S * SAMPLE_RATE
        and word.start - group[-1].end <= MAX_PAUSE_S * SAMPLE_RATE
    )


def _time(position: int, decimal: str) -> str:
    milliseconds = position * 1000 // SAMPLE_RATE
    total_s, milliseconds = divmod(milliseconds, 1000)
    minutes, second = divmod(total_s, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours:02}:{minute:02}:{second:02}{decimal}{milliseconds:03}"
