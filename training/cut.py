"""Beside stage 4: find where utterances may be cut between words, for `training.splice`.

    nice -n 19 python -m training.cut

A student that has learned something says when each word was said; where it is quiet between two
words, a cut is heard as little as a pause. Utterances are spliced from the student's next pass on.
It may be stopped and started at will, and run again when there are more shards: what was cut stays.
One core cuts some 600 hours an hour.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import accumulate

import numpy as np
import sentencepiece
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from training.data import TAIL_FEATURES, frames_of, text_of
from training.features import LOG_FLOOR, fbank, mel_banks
from training.losses import best_path
from training.restore import config_of
from training.shards import Shard, list_shards, write_cuts
from training.splice import FRAME_SAMPLES
from training.student import Student
from training.workspace import Workspace, add_workspace_arguments

__all__ = ["find_cuts", "main", "quiet_cuts"]

BATCH_SECONDS = 120.0
QUIET = 0.1
"""Loudness at a cut, at most, of the whole utterance's: -20 dB."""
WINDOW_SAMPLES = 320
"""About a cut, in which it must be quiet."""


def quiet_cuts(
    wave: NDArray[np.float32], path: NDArray[np.int64], starts: list[int]
) -> list[tuple[int, int]]:
    """Cuts of an utterance, at the quietest place between two words, where that is quiet.

    Args:
        wave: Samples.
        path: Labels written by the end of each frame.
        starts: Place of the first label of each word.

    Returns:
        (frame, words before it), rising in both.
    """
    squares = np.concatenate([[0.0], np.cumsum(wave.astype(np.float64) ** 2)])
    centres = np.arange(len(wave) // FRAME_SAMPLES) * FRAME_SAMPLES
    low, high = (
        np.clip(centres + offset, 0, len(wave)) for offset in (-WINDOW_SAMPLES, WINDOW_SAMPLES)
    )
    loudness = np.sqrt((squares[high] - squares[low]) / np.maximum(1, high - low))
    limit = QUIET * np.sqrt(squares[-1] / max(1, len(wave)))
    found = [(0, 0)]
    for words, start in enumerate(starts[1:], 1):
        # The last label of the word before is written at `first`, the next word's at `last`.
        first, last = np.searchsorted(path, [start, start + 1])
        between = loudness[max(first, found[-1][0] + 1) : last + 1]
        if len(between) and between.min() <= limit:
            found.append((max(int(first), found[-1][0] + 1) + int(between.argmin()), words))
    return found[1:]


@torch.no_grad()
def find_cuts(
    student: Student, pieces: sentencepiece.SentencePieceProcessor, shard: Shard
) -> list[list[tuple[int, int]]]:
    """Cuts of every utterance of a shard; none where words are missing or there is but one."""
    texts = [text_of(shard, i).split() for i in range(len(shard))]
    cuts: list[list[tuple[int, int]]] = [[] for _ in texts]
    for group in _by_length([i for i, words in enumerate(texts) if len(words) > 1], shard):
        waves = [shard.audio(i).astype(np.float32) / 32768 for i in group]
        words = [[pieces.encode(word) for word in texts[i]] for i in group]
        labels = [torch.tensor([label for word in said for label in word]) for said in words]
        joined = pad_sequence([torch.from_numpy(wave) for wave in waves], batch_first=True)
        features = fbank(joined, mel_banks(torch.ones(1)))
        features = F.pad(features, (0, 0, 0, TAIL_FEATURES), value=LOG_FLOOR)
        with torch.autocast("cpu", torch.bfloat16):
            scores = student.ctc(student.encoder(features)).float().log_softmax(-1)
        frames = torch.tensor([frames_of(len(wave)) for wave in waves])
        lengths = torch.tensor([len(row) for row in labels])
        padded = F.pad(pad_sequence(labels, batch_first=True), (0, 1))
        paths = best_path(scores, padded, frames.clamp_max(scores.shape[1]), lengths)
        for i, wave, said, path in zip(group, waves, words, paths.numpy(), strict=True):
            starts = [0, *accumulate(map(len, said[:-1]))]
            cuts[i] = quiet_cuts(wave, path, starts)
    return cuts


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_workspace_arguments(parser)
    parser.add_argument(
        "--checkpoint",
        default="last",
        help="name of the one in the work folder that knows the words (default: %(default)s)",
    )
    arguments = parser.parse_args()
    work = Workspace.of(arguments.work)
    torch.set_num_threads(1)
    path = work.checkpoints / f"{arguments.checkpoint}.pt"
    student = Student(config_of(path)).eval()
    student.load_state_dict(torch.load(path, map_location="cpu", weights_only=True)["average"])
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(work.bpe_model))
    uncut = [shard for shard in list_shards(work.shards) if not shard.is_cut]
    for shard in track(uncut, "finding cuts"):
        write_cuts(shard, find_cuts(student, pieces, shard))


def _by_length(chosen: list[int], shard: Shard) -> Iterator[list[int]]:
    """Groups of similar length, each of some BATCH_SECONDS."""
    group: list[int] = []
    for index in sorted(chosen, key=lambda i: int(shard.rows[i]["samples"])):
        if (len(group) + 1) * shard.rows[index]["samples"] > BATCH_SECONDS * 16_000:
            yield group
            group = []
        group.append(index)
    if group:
        yield group


if __name__ == "__main__":
    main()
