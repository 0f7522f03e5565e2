"""The folder outside the repository in which the stages leave and find their work."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["DEFAULT_SPEECH", "DEFAULT_TEACHER", "Workspace", "add_workspace_arguments"]

DEFAULT_WORK = Path("~/.cache/wyoming-stt-training")
DEFAULT_SPEECH = Path("../shared/speech")
DEFAULT_TEACHER = Path("../shared/models/streaming-zipformer2-en-3.3m")


@dataclass(frozen=True)
class Workspace:
    """Paths of the work folder; nothing else knows where a stage keeps its files."""

    root: Path

    @classmethod
    def of(cls, root: Path) -> Workspace:
        """Open (and create) the work folder at `root`."""
        work = cls(root.expanduser().resolve())
        work.shards.mkdir(parents=True, exist_ok=True)
        work.checkpoints.mkdir(exist_ok=True)
        return work

    @property
    def sentences(self) -> Path:
        """Text to synthesize: one `kind<TAB>sentence` a line."""
        return self.root / "sentences.tsv"

    @property
    def books(self) -> Path:
        """Folder of texts that were unpacked here, to draw sentences from."""
        return self.root / "books"

    @property
    def bpe_prefix(self) -> Path:
        """Prefix of the sentencepiece model: `bpe.model` and `bpe.vocab`."""
        return self.root / "bpe"

    @property
    def bpe_model(self) -> Path:
        """The sentencepiece model."""
        return self.root / "bpe.model"

    @property
    def language_model(self) -> Path:
        """N-grams of word pieces, see `training.language_model`."""
        return self.root / "lm.npz"

    @property
    def shards(self) -> Path:
        """Folder of data shards, see `training.shards`."""
        return self.root / "shards"

    @property
    def recordings(self) -> Path:
        """Folder of recorded speech that was unpacked here, laid out as `--speech` is."""
        return self.root / "recordings"

    @property
    def sounds(self) -> Path:
        """Folder of backgrounds to speak in front of, see `training.sounds`."""
        return self.root / "sounds"

    @property
    def transcripts(self) -> Path:
        """Folder of words for recordings that came without, `<corpus>.tsv`."""
        return self.root / "transcripts"

    @property
    def checkpoints(self) -> Path:
        """Folder of training states: `last.pt`, `best.pt`."""
        return self.root / "checkpoints"

    @property
    def log(self) -> Path:
        """Training figures, one JSON object a line."""
        return self.root / "train.jsonl"

    @property
    def pid(self) -> Path:
        """Process id of the running trainer: SIGSTOP and SIGCONT it at will."""
        return self.root / "train.pid"

    @property
    def export(self) -> Path:
        """Folder of the exported model."""
        return self.root / "export"

    def append_log(self, **figures: Any) -> None:
        """Append one line of figures to the training log."""
        with self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(figures) + "\n")


def add_workspace_arguments(
    parser: argparse.ArgumentParser, *, speech: bool = False, teacher: bool = False
) -> None:
    """Add `--work` and, where a stage needs them, `--speech` and `--teacher`."""
    parser.add_argument(
        "--work", type=Path, default=DEFAULT_WORK, help="work folder (default: %(default)s)"
    )
    if speech:
        parser.add_argument(
            "--speech",
            type=Path,
            default=DEFAULT_SPEECH,
            help="folder of recorded speech, noise and rooms",
        )
    if teacher:
        parser.add_argument(
            "--teacher",
            type=Path,
            default=DEFAULT_TEACHER,
            help="folder of the streaming transducer to learn from",
        )
