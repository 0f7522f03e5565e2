"""A scripted recogniser: the whole server runs on it in milliseconds, without weights.

Every 320 ms of audio louder than `LOUD` says the next word of the script.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from wyoming_stt.decoding.hypothesis import EMPTY, Hypothesis
from wyoming_stt.decoding.options import SearchOptions
from wyoming_stt.models.base import ModelInfo, Recognizer
from wyoming_stt.ort import OrtOptions
from wyoming_stt.text.tokens import WORD_START, TokenTable
from wyoming_stt.types import Samples

__all__ = ["FAMILY", "FakeFamily", "FakeRecognizer", "FakeStream"]

SCRIPT: Final = ("turn", "on", "the", "kitchen", "light", "please")
LOUD: Final = 0.01
_CHUNK: Final = 5_120
_FRAMES_PER_CHUNK: Final = 8
_FIRST_WORD: Final = 3


class FakeRecognizer:
    """Has no weights."""

    def __init__(self, languages: tuple[str, ...] = ("en",)) -> None:
        special = ("<blk>", "<sos/eos>", "<unk>")
        self.tokens = TokenTable((*special, *(WORD_START + word for word in SCRIPT)))
        self.info = ModelInfo(
            name="fake",
            family="fake",
            languages=languages,
            streaming=True,
            frame_samples=_CHUNK // _FRAMES_PER_CHUNK,
            chunk_samples=_CHUNK,
            vocab_size=len(self.tokens),
        )

    def open(self, options: SearchOptions) -> "FakeStream":
        """Begin an utterance; the options change nothing."""
        del options
        return FakeStream()


class FakeStream:
    """Counts loud chunks."""

    def __init__(self) -> None:
        self._rest = np.zeros(0, np.float32)
        self._finished = False
        self._hypothesis = EMPTY

    def push(self, samples: Samples) -> Hypothesis:
        """Look at every chunk that is complete."""
        audio = np.concatenate([self._rest, samples])
        whole = len(audio) // _CHUNK * _CHUNK
        self._rest = audio[whole:]
        for chunk in audio[:whole].reshape(-1, _CHUNK):
            self._hypothesis = self._next(chunk)
        return self._hypothesis

    def finish(self) -> Hypothesis:
        """Fill the last chunk with silence."""
        if not self._finished:
            self._finished = True
            if len(self._rest):
                self.push(np.zeros(_CHUNK - len(self._rest), np.float32))
        return self._hypothesis

    def fork(self) -> "FakeStream":
        """Copy the position in the script."""
        copy = FakeStream()
        copy._rest, copy._finished = self._rest, self._finished
        copy._hypothesis = self._hypothesis
        return copy

    def _next(self, chunk: Samples) -> Hypothesis:
        old = self._hypothesis
        num_frames = old.num_frames + _FRAMES_PER_CHUNK
        if float(np.sqrt(np.mean(chunk * chunk))) <= LOUD:
            return Hypothesis(
                old.token_ids, old.frames, old.log_probs, num_frames, old.num_committed
            )
        word = len(old.token_ids) % len(SCRIPT)
        token_ids = (*old.token_ids, _FIRST_WORD + word)
        return Hypothesis(
            token_ids,
            (*old.frames, old.num_frames),
            (*old.log_probs, 0.0),
            num_frames,
            num_committed=len(token_ids),
        )


class FakeFamily:
    """Needs no folder."""

    name = "fake"

    def matches(self, folder: Path | None) -> bool:
        """Be chosen by name only."""
        return folder is None

    def load(
        self, folder: Path | None, *, languages: Sequence[str], options: OrtOptions
    ) -> Recognizer:
        """Make the recogniser."""
        del folder, options
        return FakeRecognizer(tuple(languages))


FAMILY = FakeFamily()
