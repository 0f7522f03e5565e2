"""Transcribes clips with an exported model on one thread, and keeps the time it took."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import sentencepiece
import sherpa_onnx
from numpy.typing import NDArray

__all__ = ["Listener"]

RATE = 16_000
TAIL_SECONDS = 0.8
"""Silence after a clip, so that the last words leave the encoder, as sherpa-onnx's servers do."""
HOTWORD_SCORE = 1.5


class Listener:
    """A recogniser of a model folder: greedy, or beam search with hotwords where they are given."""

    def __init__(self, folder: Path, hotwords: list[str] | None = None) -> None:
        self._scratch = tempfile.TemporaryDirectory()
        self._computed = self._heard = 0.0
        parts = {part: str(_file(folder, part)) for part in ("encoder", "decoder", "joiner")}
        options: dict[str, object] = {}
        if hotwords:
            options = self._hotword_options(folder / "bpe.model", hotwords)
        self._recognizer = sherpa_onnx.OnlineRecognizer.from_transducer(
            tokens=str(folder / "tokens.txt"), num_threads=1, **parts, **options
        )

    @property
    def real_time_factor(self) -> float:
        """Seconds of computing a second of audio so far."""
        return self._computed / max(self._heard, 1e-9)

    def listen(self, clip: NDArray[np.float32]) -> str:
        """Transcribe a clip, lower case."""
        begun = time.process_time()
        stream = self._recognizer.create_stream()
        stream.accept_waveform(
            RATE, np.concatenate([clip, np.zeros(int(TAIL_SECONDS * RATE), np.float32)])
        )
        stream.input_finished()
        while self._recognizer.is_ready(stream):
            self._recognizer.decode_stream(stream)
        self._computed += time.process_time() - begun
        self._heard += len(clip) / RATE
        return self._recognizer.get_result(stream).strip().lower()

    def _hotword_options(self, model: Path, hotwords: list[str]) -> dict[str, object]:
        pieces = sentencepiece.SentencePieceProcessor(model_file=str(model))
        vocab = [(pieces.id_to_piece(i), pieces.get_score(i)) for i in range(pieces.vocab_size())]
        is_upper = any(piece.isupper() for piece, _ in vocab)
        scratch = Path(self._scratch.name)
        (scratch / "bpe.vocab").write_text(
            "".join(f"{p}\t{s}\n" for p, s in vocab), encoding="utf-8"
        )
        lines = [phrase.upper() if is_upper else phrase for phrase in hotwords]
        (scratch / "hotwords.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return {
            "decoding_method": "modified_beam_search",
            "hotwords_file": str(scratch / "hotwords.txt"),
            "hotwords_score": HOTWORD_SCORE,
            "modeling_unit": "bpe",
            "bpe_vocab": str(scratch / "bpe.vocab"),
        }


def _file(folder: Path, part: str) -> Path:
    return min(folder.glob(f"{part}*.onnx"))
