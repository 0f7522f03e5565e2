r"""Teach the model a household's own words, or another language, from text and a synthesizer alone.

    python -m training.own_words names.txt --start wyoming_stt/builtin/home-en \
        --work ~/own-words --hours 4
    python -m training.own_words saetze.txt --language de --work ~/deutsch --hours 200

The text file holds one sentence a line, written as people would say it; lines are spoken again and
again in ever new voices. With `--start` the run goes on from an exported model, or from a
checkpoint (`best.pt` of `training.train`), and keeps its word pieces and its language model; mix
sentences of `training.prepare` into the text, or the old words fade (they are the second column of
`sentences.tsv`). Without it, word pieces are learned from the text and the weights start at random,
with no teacher to help: expect to need hundreds of hours, and recordings of people to reach people.
Run again with more `--hours` to go on; what was spoken is kept, so begin another work folder when
the text changes. The model is exported to `export/` of the work folder at the end of each run.
"""

from __future__ import annotations

import argparse
import random
import shutil
from itertools import islice
from pathlib import Path

import sentencepiece
import torch
from rich.console import Console
from rich.progress import Progress

from training.data import BatchStream, DataOptions
from training.export import export_student
from training.prepare import VOCAB_SIZE, train_pieces
from training.restore import config_of
from training.student import Student, StudentConfig
from training.synthesize import SHARD_SIZE, synthesize_shard
from training.text import normalize
from training.trainer import HEAD_STEPS, TRANSDUCER_RISE_HOURS, Schedule, Trainer
from training.workspace import Workspace, add_workspace_arguments

__all__ = ["OwnWords", "main"]

SAVE_EVERY = 100
"""Steps between checkpoints."""
LANGUAGE_MODEL = "lm.npz"
"""In the folder of an exported model that has one; it counts word pieces, which stay the same."""


class OwnWords:
    """The stages of the recipe, for a text of one's own."""

    def __init__(self, work: Workspace, speech: Path, language: str) -> None:
        self._work = work
        self._speech = speech
        self._language = language

    def prepare(self, text: Path, pieces: Path | None) -> list[str]:
        """Normalise the sentences; take over word pieces or learn them from the sentences."""
        lines = text.read_text(encoding="utf-8").splitlines()
        sentences = [s for s in (normalize(line, language=self._language) for line in lines) if s]
        if pieces:
            self._work.bpe_model.write_bytes(pieces.read_bytes())
        elif not self._work.bpe_model.exists():
            train_pieces(sentences, str(self._work.bpe_prefix), self._vocabulary_size(sentences))
        return sentences

    def synthesize(self, sentences: list[str], utterances: int) -> None:
        """Speak sentences drawn at random, each in a voice of its own."""
        for number in range(0, utterances, SHARD_SIZE):
            folder = self._work.shards / f"own-{number // SHARD_SIZE:03d}"
            if not folder.exists():
                rng = random.Random(number)
                count = min(SHARD_SIZE, utterances - number)
                drawn = [("own", rng.choice(sentences)) for _ in range(count)]
                synthesize_shard(folder, drawn, number, self._language)

    def train(
        self, schedule: Schedule, start: Path | None, config: StudentConfig, seconds: float
    ) -> Student:
        """Train on what was spoken, in scenes, and return the averaged student."""
        statistics = torch.zeros(config.teacher_dim), torch.ones(config.teacher_dim)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        trainer = Trainer(config, schedule, statistics, device)
        last = self._work.checkpoints / "last.pt"
        if last.exists():
            trainer.load(last)
        options = DataOptions(
            self._work.shards,
            self._speech,
            self._work.bpe_model,
            seconds=seconds,
            untaught=True,
        )
        batches = iter(BatchStream(options, hours=trainer.hours))
        if start and not last.exists():
            trainer.start_from(start)
            if start.is_dir():
                trainer.fit_heads(islice(batches, HEAD_STEPS))
        with Progress() as progress:
            task = progress.add_task(
                "hours of audio heard", total=schedule.hours, completed=trainer.hours
            )
            while trainer.hours < schedule.hours:
                losses = trainer.train_step(next(batches))
                self._work.append_log(step=trainer.step, hours=trainer.hours, **losses)
                progress.update(
                    task, completed=trainer.hours, description=f"ctc {losses.get('ctc', 0):.2f}"
                )
                if trainer.step % SAVE_EVERY == 0:
                    trainer.save(last)
        trainer.save(last)
        return trainer.average.to("cpu")

    @staticmethod
    def _vocabulary_size(sentences: list[str]) -> int:
        """A small text cannot fill the usual vocabulary."""
        letters, words = (
            {c for s in sentences for c in s},
            {w for s in sentences for w in s.split()},
        )
        return min(VOCAB_SIZE, 2 * len(letters) + len(words))


def main() -> None:
    """Run all stages."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_workspace_arguments(parser, speech=True)
    parser.add_argument("text", type=Path, help="one sentence a line")
    parser.add_argument(
        "--language", default="en", help="of espeak-ng and num2words (default: %(default)s)"
    )
    parser.add_argument(
        "--start", type=Path, help="exported model or checkpoint to start from (default: neither)"
    )
    parser.add_argument(
        "--pieces", type=Path, help="its bpe.model (default: in the model, beside the checkpoints)"
    )
    parser.add_argument(
        "--utterances", type=int, default=5000, help="to speak (default: %(default)s)"
    )
    parser.add_argument(
        "--hours", type=float, default=4.0, help="audio to hear in all (default: %(default)s)"
    )
    parser.add_argument("--batch", type=float, default=100.0, help="seconds of audio a step")
    parser.add_argument(
        "--dim",
        type=int,
        default=StudentConfig.dim,
        help="width of a new model (default: %(default)s)",
    )
    arguments = parser.parse_args()
    work = Workspace.of(arguments.work)
    own = OwnWords(work, arguments.speech, arguments.language)
    start = arguments.start
    pieces = (arguments.pieces or _pieces(start)) if start else None
    sentences = own.prepare(arguments.text, pieces)
    own.synthesize(sentences, arguments.utterances)
    size = sentencepiece.SentencePieceProcessor(model_file=str(work.bpe_model)).vocab_size()
    config = config_of(start) if start else StudentConfig(vocab_size=size, dim=arguments.dim)
    student = own.train(
        _schedule(arguments.hours, is_new=start is None), start, config, arguments.batch
    )
    export_student(student, work.bpe_model, work.export)
    if start and (start / LANGUAGE_MODEL).exists():
        shutil.copyfile(start / LANGUAGE_MODEL, work.export / LANGUAGE_MODEL)
    Console().print(f"model in {work.export}")


def _schedule(hours: float, *, is_new: bool) -> Schedule:
    """A model that writes already needs no time before the transducer loss."""
    return Schedule(hours) if is_new else Schedule(hours, transducer_from=-TRANSDUCER_RISE_HOURS)


def _pieces(start: Path) -> Path:
    return (start if start.is_dir() else start.parent.parent) / "bpe.model"


if __name__ == "__main__":
    main()
