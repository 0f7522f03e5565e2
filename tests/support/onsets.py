"""A recogniser whose words are exact: one where sound sets in, to the frame of 40 ms."""

from dataclasses import replace

import numpy as np

from wyoming_stt.decoding.hypothesis import EMPTY, Hypothesis
from wyoming_stt.decoding.options import SearchOptions
from wyoming_stt.models.families.fake import LOUD, FakeRecognizer
from wyoming_stt.types import Samples

__all__ = ["FRAME", "OnsetRecognizer"]

FRAME = 640
_TOKEN = 3


class OnsetRecognizer(FakeRecognizer):
    """The vocabulary is the fake's; only its first word is ever said."""

    def open(self, options: SearchOptions) -> "OnsetStream":
        del options
        return OnsetStream()


class OnsetStream:
    """Says a word at each frame that is loud after one that is not."""

    def __init__(self) -> None:
        self._rest: Samples = np.zeros(0, np.float32)
        self._was_loud = False
        self._hypothesis = EMPTY

    def push(self, samples: Samples) -> Hypothesis:
        audio = np.concatenate([self._rest, samples])
        whole = len(audio) // FRAME * FRAME
        self._rest = audio[whole:]
        loud = np.abs(audio[:whole]).reshape(-1, FRAME).max(axis=1, initial=0) > LOUD
        onsets = loud & ~np.concatenate([[self._was_loud], loud[:-1]])
        if len(loud):
            self._was_loud = bool(loud[-1])
        first = self._hypothesis.num_frames
        frames = (*self._hypothesis.frames, *(first + np.flatnonzero(onsets)).tolist())
        self._hypothesis = Hypothesis(
            (_TOKEN,) * len(frames), frames, (0.0,) * len(frames), first + len(loud), len(frames)
        )
        return self._hypothesis

    def finish(self) -> Hypothesis:
        return self.push(np.zeros(-len(self._rest) % FRAME, np.float32))

    def fork(self) -> "OnsetStream":
        copy = OnsetStream()
        copy._rest, copy._was_loud = self._rest, self._was_loud
        copy._hypothesis = replace(self._hypothesis)
        return copy
