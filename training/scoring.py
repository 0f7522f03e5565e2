"""Greedy decoding in torch and word error rates, for the figures a training run watches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import sentencepiece
import torch
from torch import Tensor

from training.features import fbank, mel_banks
from training.recordings import read_audio, read_manifest
from training.student import LOOKAHEAD, Student
from training.text import normalize

__all__ = ["DevSet", "ctc_greedy", "edit_distance", "transducer_greedy", "word_error_rate"]

TAIL_SECONDS = 0.6
"""Silence after a recording, as at the end of a real stream: the last words come out of it."""


def edit_distance(reference: Sequence[str], hypothesis: Sequence[str]) -> int:
    """Fewest substitutions, insertions and deletions that turn one into the other."""
    row = list(range(len(hypothesis) + 1))
    for i, word in enumerate(reference, 1):
        above, row = row, [i]
        for j, other in enumerate(hypothesis, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (word != other)))
    return row[-1]


def word_error_rate(pairs: Iterable[tuple[str, str]]) -> float:
    """Word errors over reference words, for (reference, hypothesis) pairs."""
    errors = words = 0
    for reference, hypothesis in pairs:
        errors += edit_distance(reference.split(), hypothesis.split())
        words += len(reference.split())
    return errors / max(words, 1)


def ctc_greedy(logits: Tensor) -> list[int]:
    """Best token of each frame of (T, V), repetitions joined and blanks dropped."""
    best = logits.argmax(-1).tolist()
    return [token for i, token in enumerate(best) if token and (i == 0 or best[i - 1] != token)]


def transducer_greedy(student: Student, encoded: Tensor) -> list[int]:
    """At most one token a frame of (T, joiner_dim), as icefall decodes."""
    tokens = [-1, 0]
    predicted = student.predictor(torch.tensor(tokens))
    for frame in encoded:
        token = int(student.join(frame, predicted).argmax())
        if token > 2:
            tokens.append(token)
            predicted = student.predictor(torch.tensor(tokens[-2:]))
    return tokens[2:]


class DevSet:
    """Recordings with transcripts, as features, to be decoded again and again."""

    def __init__(self, folder: Path, limit: int | None = None) -> None:
        self.name = folder.name
        self._references: list[str] = []
        self._features: list[Tensor] = []
        for recording in read_manifest(folder)[:limit]:
            audio = np.concatenate(
                [read_audio(recording.path), np.zeros(int(16000 * TAIL_SECONDS), np.float32)]
            )
            self._features.append(fbank(torch.from_numpy(audio)[None], mel_banks(torch.ones(1))))
            self._references.append(normalize(recording.transcript))

    @torch.no_grad()
    def score(
        self, student: Student, pieces: sentencepiece.SentencePieceProcessor, *, ctc: bool
    ) -> float:
        """Word error rate of the CTC head or of the transducer."""
        return word_error_rate(
            zip(self._references, self.decode(student, pieces, ctc=ctc), strict=True)
        )

    @torch.no_grad()
    def decode(
        self, student: Student, pieces: sentencepiece.SentencePieceProcessor, *, ctc: bool
    ) -> list[str]:
        """Greedy transcripts of all recordings."""
        texts = []
        for features in self._features:
            frames = student.encoder(
                torch.nn.functional.pad(features, (0, 0, 0, LOOKAHEAD), value=-15.9)
            )[0]
            tokens = (
                ctc_greedy(student.ctc(frames))
                if ctc
                else transducer_greedy(student, student.to_joiner(frames))
            )
            texts.append(pieces.decode(tokens))
        return texts
