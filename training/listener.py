"""Transcribes clips with a model folder as the server does, and keeps the time it took."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wyoming_stt.decoding.options import Hotword, SearchOptions
from wyoming_stt.events import FinalTranscript
from wyoming_stt.models.registry import load_model
from wyoming_stt.session import Session, UtteranceOptions

__all__ = ["Listener"]

RATE = 16_000
CHUNK_BYTES = 2048
"""What Home Assistant sends at a time."""


class Listener:
    """A loaded model on one thread, which searches as it does for a client, or `greedy`.

    With `min_confidence` 0 it also writes words of which none is likely.
    """

    def __init__(
        self,
        folder: Path,
        hotwords: Iterable[str] = (),
        *,
        greedy: bool = False,
        min_confidence: float = SearchOptions().min_confidence,
    ) -> None:
        method = "greedy" if greedy else "auto"
        search = SearchOptions(
            method, min_confidence=min_confidence, hotwords=tuple(map(Hotword, hotwords))
        )
        self._options = UtteranceOptions(search=search)
        self._recognizer = load_model(folder, languages=("en",))
        self._computed = self._heard = 0.0

    @property
    def real_time_factor(self) -> float:
        """Seconds of computing a second of audio so far."""
        return self._computed / max(self._heard, 1e-9)

    def listen(self, clip: NDArray[np.float32]) -> str:
        """Transcribe a clip, lower case."""
        pcm = (np.clip(clip, -1, 1) * 32767).astype("<i2").tobytes()
        begun = time.process_time()
        session = Session(self._recognizer, self._options)
        for start in range(0, len(pcm), CHUNK_BYTES):
            session.accept(pcm[start : start + CHUNK_BYTES])
        events = session.finish()
        self._computed += time.process_time() - begun
        self._heard += len(clip) / RATE
        return next(e.text for e in events if isinstance(e, FinalTranscript)).strip().lower()
