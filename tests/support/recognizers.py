"""Recognisers that do what a test tells them, where the fake one does too little."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from wyoming_stt.decoding.hypothesis import EMPTY, Hypothesis
from wyoming_stt.decoding.options import SearchOptions
from wyoming_stt.models.base import ModelInfo
from wyoming_stt.models.families.fake import FakeRecognizer
from wyoming_stt.types import Samples

__all__ = ["ScriptedRecognizer", "ScriptedStream"]


def _silent(stream: "ScriptedStream") -> Hypothesis:
    del stream
    return EMPTY


@dataclass
class ScriptedRecognizer:
    """Calls back for every hypothesis; the vocabulary is the fake's: tokens 3 to 8 are words."""

    push: Callable[["ScriptedStream"], Hypothesis] = _silent
    """Called with a stream that has just been given samples."""
    finish: Callable[["ScriptedStream"], Hypothesis] = _silent
    streaming: bool = True
    streams: list["ScriptedStream"] = field(default_factory=list)
    """Every stream opened or forked, in order."""
    tokens = FakeRecognizer().tokens

    @property
    def info(self) -> ModelInfo:
        return replace(FakeRecognizer().info, name="scripted", streaming=self.streaming)

    def open(self, options: SearchOptions) -> "ScriptedStream":
        del options
        return ScriptedStream(self)


class ScriptedStream:
    """Counts its samples."""

    def __init__(self, recognizer: ScriptedRecognizer, sizes: Sequence[int] = ()) -> None:
        self.recognizer = recognizer
        self.number = len(recognizer.streams)
        self.sizes = list(sizes)
        """Samples of each push, those before a fork included."""
        recognizer.streams.append(self)

    @property
    def num_samples(self) -> int:
        return sum(self.sizes)

    def push(self, samples: Samples) -> Hypothesis:
        self.sizes.append(len(samples))
        return self.recognizer.push(self)

    def finish(self) -> Hypothesis:
        return self.recognizer.finish(self)

    def fork(self) -> "ScriptedStream":
        return ScriptedStream(self.recognizer, self.sizes)
