"""Stage 4: train the student, from random weights or an exported model, or go on where it was.

    OMP_NUM_THREADS=1 nice -n 19 python -m training.train --hours 400 --trainers 2

Uses the GPU when there is one. Every few minutes it writes `checkpoints/last.pt`, scores the dev
sets, keeps the best in `checkpoints/best.pt`, appends figures to `train.jsonl` and draws
`train.png`. It may be stopped (SIGSTOP, SIGTERM, power) at any time and goes on where it was;
shards that appear meanwhile are used from the next pass on. `--hours` counts hours of audio seen,
and the learning rate falls to zero at its end: to train longer, resume with a larger number before
the end.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import time
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from statistics import fmean

import sentencepiece
import torch
from rich.console import Console
from torch import multiprocessing as mp
from torch.utils.data import DataLoader

from training.data import Batch, BatchStream, DataOptions, teacher_statistics
from training.peers import Peer, SharedWeights
from training.plot import plot_log
from training.reader import TeacherReader
from training.restore import check_pieces, config_of
from training.scoring import DevSet
from training.shards import list_shards
from training.stop import StopRequest
from training.student import StudentConfig
from training.trainer import HEAD_STEPS, TRANSDUCER_RISE_HOURS, Schedule, Trainer
from training.workspace import Workspace, add_workspace_arguments

__all__ = ["main"]

REPORT_EVERY = 50
PEOPLE_UTTERANCES = 25
"""Of librispeech-other-a: enough to see the trend."""


def main() -> None:
    """Run the stage."""
    arguments = _parse()
    work, console = Workspace.of(arguments.work), Console()
    last = work.checkpoints / "last.pt"
    if arguments.start and arguments.start.is_dir():
        check_pieces(arguments.start / "bpe.model", work.bpe_model)
    torch.manual_seed(arguments.seed)
    trainer = _trainer(arguments, work)
    batches = _batches(arguments, work, trainer)
    if arguments.start and not last.exists():
        trainer.start_from(arguments.start)
        loss = trainer.fit_heads(islice(batches, HEAD_STEPS))
        console.print(f"started from {arguments.start}, its new heads at {loss:.2f}")
        trainer.save(last)
    shared = SharedWeights(trainer.student, trainer.hours) if arguments.trainers > 1 else None
    others = [
        mp.get_context("spawn").Process(target=_assist, args=(arguments, shared, rank), daemon=True)
        for rank in range(1, arguments.trainers)
    ]
    for other in others:
        other.start()
    pids = [os.getpid(), *(other.pid for other in others)]
    work.pid.write_text("".join(f"{pid}\n" for pid in pids), encoding="ascii")
    dev = [
        DevSet(arguments.speech / "ha-commands-tts-en"),
        DevSet(arguments.speech / "librispeech-other-a", PEOPLE_UTTERANCES),
    ]
    peer = Peer(shared, trainer.student) if shared else None
    try:
        _train(trainer, batches, peer, dev, work, every=arguments.minutes * 60)
    finally:
        work.pid.unlink()


def _assist(arguments: argparse.Namespace, shared: SharedWeights, rank: int) -> None:
    """Train beside the first trainer, which alone scores, reports and saves."""
    torch.manual_seed(arguments.seed + rank)
    trainer = _trainer(arguments, Workspace.of(arguments.work))
    peer = Peer(shared, trainer.student)
    loading = iter(_batches(arguments, Workspace.of(arguments.work), trainer, rank))
    told, first = StopRequest(), multiprocessing.parent_process()
    for batch in loading:
        trainer.train_step(batch)
        trainer.hours = peer.exchange(batch.seconds / 3600)
        if told.stop or not (first and first.is_alive()):
            return


def _trainer(arguments: argparse.Namespace, work: Workspace) -> Trainer:
    torch.set_num_threads(arguments.threads)
    device = arguments.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    statistics = teacher_statistics(list_shards(work.shards, taught=True))
    schedule = Schedule(arguments.hours, decay_from=arguments.decay_from)
    last = work.checkpoints / "last.pt"
    if last.exists():
        config = config_of(last)
    else:
        config = config_of(arguments.start) if arguments.start else StudentConfig(dim=arguments.dim)
        if arguments.blocks:
            inner, after = arguments.blocks
            config = replace(config, inner=inner, outer_after=after)
    if arguments.dropout is not None:
        config = replace(config, dropout=arguments.dropout)
    reader = TeacherReader.load(arguments.teacher) if arguments.teacher.is_dir() else None
    trainer = Trainer(config, schedule, statistics, device, reader)
    if last.exists():
        trainer.load(last)
    if arguments.start:
        trainer.knows_words = True
    if trainer.knows_words:
        trainer.schedule = replace(schedule, transducer_from=-TRANSDUCER_RISE_HOURS)
    return trainer


def _batches(
    arguments: argparse.Namespace, work: Workspace, trainer: Trainer, rank: int = 0
) -> Iterable[Batch]:
    options = DataOptions(
        work.shards,
        arguments.speech,
        work.bpe_model,
        sounds=work.sounds,
        seconds=arguments.batch,
        untaught=arguments.untaught,
        seed=arguments.seed,
    )
    if trainer.knows_words:
        options = replace(options, full_scene_hours=0.0)
    stream = BatchStream(options, trainer.hours, rank=rank, ranks=arguments.trainers)
    prefetch = 4 if arguments.loaders else None
    return DataLoader(
        stream, batch_size=None, num_workers=arguments.loaders, prefetch_factor=prefetch
    )


def _train(
    trainer: Trainer,
    batches: Iterable[Batch],
    peer: Peer | None,
    dev: list[DevSet],
    work: Workspace,
    *,
    every: float,
) -> None:
    console = Console()
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(work.bpe_model))
    sums: dict[str, list[float]] = {}
    begun, begun_hours, saved = time.monotonic(), trainer.hours, time.monotonic()
    loading = iter(batches)  # before the handlers, which the loaders' processes would inherit
    told = StopRequest()
    for batch in loading:
        for name, loss in trainer.train_step(batch).items():
            sums.setdefault(name, []).append(loss)
        if peer:
            trainer.hours = peer.exchange(batch.seconds / 3600)
        if trainer.step % REPORT_EVERY == 0:
            now = time.monotonic()
            speed = (trainer.hours - begun_hours) * 3600 / (now - begun)
            begun, begun_hours = now, trainer.hours
            figures = {name: round(fmean(values), 4) for name, values in sums.items()}
            console.print(
                f"{trainer.step:6d}  {trainer.hours:7.2f} h  {figures}  {speed:.0f} x real time"
            )
            work.append_log(
                step=trainer.step, hours=round(trainer.hours, 3), speed=round(speed), **figures
            )
            sums = {}
        finished = trainer.hours >= trainer.schedule.hours
        if finished or time.monotonic() - saved > every:
            _score(trainer, dev, pieces, work, console)
            trainer.save(work.checkpoints / "last.pt")
            plot_log(work.log, work.root / "train.png")
            begun = saved = time.monotonic()
            begun_hours = trainer.hours
        if told.stop and not finished:
            trainer.save(work.checkpoints / "last.pt")
        if finished or told.stop:
            return


def _score(
    trainer: Trainer,
    dev: list[DevSet],
    pieces: sentencepiece.SentencePieceProcessor,
    work: Workspace,
    console: Console,
) -> None:
    """Score the running average; keep the one of the lowest sum of word error rates."""
    device = trainer.device
    trainer.average.to("cpu")
    transducer = trainer.schedule.transducer_weight(trainer.hours) > 0
    scores = {s.name: round(s.score(trainer.average, pieces, ctc=not transducer), 4) for s in dev}
    trainer.average.to(device)
    console.print(f"        WER {'transducer' if transducer else 'CTC'} {scores}")
    work.append_log(
        step=trainer.step, hours=round(trainer.hours, 3), transducer=transducer, wer=scores
    )
    # A CTC score is no promise about the transducer: the best starts anew when the transducer does.
    total = sum(scores.values()) + (0.0 if transducer else 10.0)
    if total < trainer.best:
        trainer.best = total
        trainer.save(work.checkpoints / "best.pt")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_workspace_arguments(parser, speech=True, teacher=True)
    parser.add_argument(
        "--hours", type=float, default=400.0, help="audio to see in all (default: %(default)s)"
    )
    parser.add_argument(
        "--decay-from",
        type=float,
        default=Schedule.decay_from,
        metavar="SHARE",
        help="of the hours, after which the learning rate falls; below 0 it begins lower, at "
        "1/(1-SHARE) of its peak (default: %(default)s)",
    )
    parser.add_argument(
        "--minutes", type=float, default=6.0, help="between checkpoints (default: %(default)s)"
    )
    parser.add_argument(
        "--batch", type=float, default=120.0, help="seconds of audio a step (default: %(default)s)"
    )
    parser.add_argument(
        "--dim",
        type=int,
        default=StudentConfig.dim,
        help="width of the student (default: %(default)s)",
    )
    parser.add_argument(
        "--blocks",
        type=int,
        nargs=2,
        metavar=("INNER", "AFTER"),
        help="of a new run, at 12.5 and at 25 frames a second (default: as many as it starts from)",
    )
    parser.add_argument(
        "--dropout",
        type=float,
        help="share of each block's output that is left out (default: as the checkpoint, or none)",
    )
    parser.add_argument(
        "--untaught", action="store_true", help="hear shards, too, that the teacher has not"
    )
    parser.add_argument(
        "--start", type=Path, help="exported model to start from (default: random weights)"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda (default: %(default)s)")
    parser.add_argument(
        "--trainers",
        type=int,
        default=1,
        help="processes that train together, one a core (default: %(default)s)",
    )
    parser.add_argument(
        "--threads",
        type=int,
        default=1,
        help="of each trainer: 1 on a busy machine (default: %(default)s)",
    )
    parser.add_argument(
        "--loaders",
        type=int,
        default=0,
        help="processes that make batches for a trainer (default: it makes them itself)",
    )
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.decay_from >= 1:
        parser.error("--decay-from is a share of the hours below 1")
    return arguments


if __name__ == "__main__":
    main()
