"""Batches: shards on disk to augmented features, token labels and the teacher's frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import sentencepiece
import torch
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from training.augment import Augmenter, NoiseBank, mask_features
from training.features import LOG_FLOOR, fbank, mel_banks
from training.recordings import weight_of
from training.shards import Shard, list_shards
from training.splice import Take, splice
from training.student import LOOKAHEAD
from training.text import normalize
from training.voices import weight_of_spoken

__all__ = [
    "TAIL_FEATURES",
    "Batch",
    "BatchStream",
    "DataOptions",
    "frames_of",
    "teacher_statistics",
    "text_of",
]

SAMPLES_PER_FEATURE = 160
TAIL_FEATURES = LOOKAHEAD + 4
MISHEARD = 0.2
"""Share of the words up to which the teacher has understood an utterance."""
PASS_HOURS = 2.0
"""A pass is a random part of the data, so that shards which appear meanwhile are soon heard."""


class Batch(NamedTuple):
    """Padded tensors of one step, with the valid lengths of each."""

    features: Tensor
    frames: Tensor
    """Valid encoder frames (25 a second)."""
    labels: Tensor
    label_lengths: Tensor
    """0 where the words are unknown."""
    teacher: Tensor
    teacher_lengths: Tensor
    """0 where there is no teacher: noise without speech."""
    understood: Tensor
    """Whether the teacher wrote about the same words as the labels say."""
    seconds: float


@dataclass(frozen=True)
class DataOptions:
    """How batches are drawn."""

    shards: Path
    speech: Path
    pieces: Path
    seconds: float = 100.0
    """Audio in a batch."""
    synthetic_share: float = 0.5
    """Of the hours; the rest is recorded speech, its corpora by their weights."""
    full_scene_hours: float = 60.0
    """Scenes set in slowly: from a fifth of the utterances to `scene_share` of them after this."""
    scene_share: float = 0.8
    """Of the utterances; the others stay as they were recorded."""
    noise_share: float = 0.1
    """Utterances replaced by noise alone, where nothing is to be written."""
    splice_share: float = 0.5
    """Utterances that go on as another, of shards of which `training.cut` knows where they may."""
    untaught: bool = False
    """Use shards that no teacher has heard, too."""
    sounds: Path | None = None
    """Backgrounds beside the noise of `speech`."""
    warp: float = 0.12
    """Largest vocal tract warp."""
    seed: int = 1


class BatchStream(torch.utils.data.IterableDataset[Batch]):
    """Endless batches, going on after `hours` of audio; a pass picks up added shards."""

    def __init__(
        self, options: DataOptions, hours: float = 0.0, *, rank: int = 0, ranks: int = 1
    ) -> None:
        """Draw batches for trainer `rank` of `ranks`, others than those of its peers."""
        super().__init__()
        self._options = options
        self._hours = hours
        self._rank, self._ranks = rank, ranks

    def __iter__(self) -> Iterator[Batch]:
        torch.set_num_threads(1)
        options, hours = self._options, self._hours
        worker = torch.utils.data.get_worker_info()
        number, workers = (worker.id, worker.num_workers) if worker else (0, 1)
        number, workers = self._rank * workers + number, self._ranks * workers
        pieces = sentencepiece.SentencePieceProcessor(model_file=str(options.pieces))
        bank = NoiseBank.load(options.speech, sounds=options.sounds)
        while True:
            rng = np.random.default_rng((options.seed, int(hours * 3600), number))
            shards = list_shards(options.shards, taught=None if options.untaught else True)
            share = min(1.0, 0.25 + 0.75 * hours / max(options.full_scene_hours, 1e-9))
            augment = Augmenter(bank, rng, share * options.scene_share)
            for group in _batches(shards, options, rng):
                batch = _make_batch(
                    [(shards[s], i) for s, i in group], pieces, augment, options, rng
                )
                hours += workers * batch.seconds / 3600
                yield batch


def text_of(shard: Shard, index: int) -> str:
    """The words of an utterance, or what the teacher understood."""
    return str(shard.rows[index]["text"]) or normalize(shard.heard(index))


def frames_of(samples: int) -> int:
    """Encoder frames of an utterance with the silence behind it."""
    return (round(samples / SAMPLES_PER_FEATURE) + TAIL_FEATURES - 15) // 4 + 1


def teacher_statistics(shards: list[Shard]) -> tuple[Tensor, Tensor]:
    """Mean and deviation of every dimension of the teacher's frames."""
    taken = [
        shard.features(i)
        for shard in shards
        for i in range(0, len(shard), max(1, len(shard) // 100))
    ]
    frames = torch.from_numpy(np.concatenate(taken).astype(np.float32))
    return frames.mean(0), frames.std(0) + 1e-3


def _batches(
    shards: list[Shard], options: DataOptions, rng: np.random.Generator
) -> list[list[tuple[int, int]]]:
    """PASS_HOURS of utterances in groups of similar length, groups in random order."""
    rows = np.array(
        [(s, i) for s, shard in enumerate(shards) for i in range(len(shard)) if shard.is_told(i)]
    )
    seconds = np.array([shards[s].rows[i]["samples"] for s, i in rows], float) / 16000
    weights = np.array([weight_of(shards[s].rows[i]["source"]) for s, i in rows])
    is_synthetic = weights == 0
    spoken = [shards[s].rows[i] for s, i in rows[is_synthetic]]
    weights[is_synthetic] = [weight_of_spoken(str(r["voice"]), str(r["source"])) for r in spoken]
    drawn = np.concatenate(
        [
            _draw(np.flatnonzero(chosen), share * PASS_HOURS, seconds, weights, rng)
            for chosen, share in (
                (is_synthetic, options.synthetic_share),
                (~is_synthetic, 1 - options.synthetic_share),
            )
            if chosen.any()
        ]
    )
    groups: list[list[tuple[int, int]]] = [[]]
    for index in drawn[np.argsort(seconds[drawn] * rng.uniform(0.9, 1.1, len(drawn)))]:
        if (len(groups[-1]) + 1) * seconds[index] > options.seconds:
            groups.append([])
        groups[-1].append((int(rows[index][0]), int(rows[index][1])))
    rng.shuffle(groups)
    return [group for group in groups if group]


def _draw(
    candidates: NDArray[np.intp],
    hours: float,
    seconds: NDArray[np.float64],
    weights: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.intp]:
    """Draw by weight as many candidates as fill the hours."""
    share = weights[candidates] / weights[candidates].sum()
    count = max(1, int(hours * 3600 / (share * seconds[candidates]).sum()))
    return rng.choice(candidates, count, p=share)


def _make_batch(
    rows: list[tuple[Shard, int]],
    pieces: sentencepiece.SentencePieceProcessor,
    augment: Augmenter,
    options: DataOptions,
    rng: np.random.Generator,
) -> Batch:
    takes = _spliced([_take(shard, i) for shard, i in rows], options.splice_share, rng)
    waves = [torch.from_numpy(take.wave) for take in takes]
    lengths = [len(wave) for wave in waves]
    silent = rng.random(len(rows)) < options.noise_share
    for index in np.flatnonzero(silent):
        waves[index] = augment.noise(lengths[index])
    heard = augment(pad_sequence(waves, batch_first=True), lengths)
    warps = torch.from_numpy(
        rng.uniform(1 - options.warp, 1 + options.warp, len(rows)).astype(np.float32)
    )
    features = fbank(heard, mel_banks(warps))
    valid = [round(n / SAMPLES_PER_FEATURE) for n in lengths]
    mask_features(features, valid, rng)
    features = torch.nn.functional.pad(features, (0, 0, 0, TAIL_FEATURES), value=LOG_FLOOR)
    texts = [
        "" if quiet else " ".join(take.words) for take, quiet in zip(takes, silent, strict=True)
    ]
    labels = [torch.tensor(pieces.encode(text), dtype=torch.long) for text in texts]
    dims = max(take.teacher.shape[1] for take in takes)
    empty = np.zeros((0, dims), np.float32)
    teacher = [torch.from_numpy(t.teacher if len(t.teacher) else empty) for t in takes]
    known = torch.from_numpy(~silent)
    return Batch(
        features=features,
        frames=torch.tensor([frames_of(n) for n in lengths]),
        labels=pad_sequence(labels, batch_first=True),
        label_lengths=torch.tensor([len(row) for row in labels]),
        teacher=pad_sequence(teacher, batch_first=True),
        teacher_lengths=torch.tensor([len(row) for row in teacher]) * known,
        understood=torch.tensor([take.is_understood for take in takes]) & known,
        seconds=sum(lengths) / 16000,
    )


def _take(shard: Shard, index: int) -> Take:
    words, heard = text_of(shard, index).split(), normalize(shard.heard(index)).split()
    return Take(
        shard.audio(index).astype(np.float32) / 32768,
        shard.features(index).astype(np.float32),
        words,
        shard.cuts(index),
        bool(heard) and Levenshtein.normalized_distance(words, heard) <= MISHEARD,
    )


def _spliced(takes: list[Take], share: float, rng: np.random.Generator) -> list[Take]:
    """A share of them goes on, once or more often, as another of the batch."""
    longest = max(len(take.wave) for take in takes)
    spliced = list(takes)
    for index in range(len(takes)):
        while rng.random() < share:
            other = takes[rng.integers(len(takes))]
            spliced[index] = splice(spliced[index], other, rng, longest)
    return spliced
