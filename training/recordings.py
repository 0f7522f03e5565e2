"""Recorded speech as training utterances; the dev sets are never among them."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from training.shards import Utterance
from training.text import normalize
from training.transcripts import Transcripts
from training.voices import SAMPLE_RATE

__all__ = [
    "CORPORA",
    "Corpus",
    "Recording",
    "for_training",
    "is_held_out",
    "read_manifest",
    "utterances",
    "weight_of",
    "write_manifest",
]

MAX_SECONDS = 17.0
MANIFEST = "manifest.tsv"
DEV_SETS = ("librispeech-other-a", "ha-commands-tts-en")


@dataclass(frozen=True)
class Corpus:
    """How a folder of recordings is used.

    Args:
        verbatim: The transcripts say what is heard; otherwise those of `training.transcribe` do, or
            the teacher's.
        weight: How often an utterance is drawn: more where speakers and sentences are like those
            of a household, less where single words come by the thousand.
        join: Recordings of one speaker joined into one utterance, for corpora of single words.
        spelled: Words for transcripts that are labels; '' where they do not say what is heard.
        speeds: Of the recordings; pitch and formants go with them. More where there are few
            recordings, so that they are less soon known by heart.
        wordless: Nothing is to be written: another language, of which the student learns from the
            teacher's frames alone how people sound.
    """

    name: str
    verbatim: bool
    weight: float
    join: int = 1
    spelled: Mapping[str, str] = field(default_factory=dict)
    speeds: tuple[float, ...] = (1.0, 0.9, 1.1)
    wordless: bool = False


MANY_SPEEDS = (1.0, 0.9, 1.1, 0.8, 0.85, 0.95, 1.05, 1.15, 1.2)
LABELS = {"heycomputer": "hey computer", "heychatterbox": "hey chatterbox", "not-wake-words": ""}
CORPORA = (
    Corpus("speechocean762", verbatim=True, weight=1.0),
    Corpus("ljspeech", verbatim=True, weight=0.3, speeds=MANY_SPEEDS),
    Corpus("librispeech-251-speakers", verbatim=False, weight=1.4, speeds=MANY_SPEEDS),
    Corpus("coffee-a", verbatim=False, weight=1.0, speeds=MANY_SPEEDS),
    Corpus("flight-of-the-amazon-queen", verbatim=False, weight=1.0),
    Corpus("beneath-a-steel-sky", verbatim=False, weight=1.0),
    Corpus("drascula", verbatim=False, weight=1.0),
    Corpus("wakewords", verbatim=True, weight=0.4),
    Corpus("community-wakewords", verbatim=True, weight=0.4, spelled=LABELS),
    Corpus("digits", verbatim=True, weight=0.4, join=4),
    Corpus("letters-and-digits", verbatim=True, weight=0.4, join=4),
    Corpus("foreign-sentences", verbatim=True, weight=1.0, wordless=True),
    Corpus("foreign-words", verbatim=True, weight=1.0, join=4, wordless=True),
)


@dataclass(frozen=True)
class Recording:
    """A row of a manifest: path, transcript as written, speaker, length."""

    path: Path
    transcript: str
    speaker: str
    seconds: float


def read_manifest(folder: Path) -> list[Recording]:
    """Rows of `manifest.tsv`, in its order."""
    rows = (folder / MANIFEST).read_text(encoding="utf-8").splitlines()[1:]
    return [
        Recording(folder / file, text, who, float(seconds))
        for file, text, who, seconds in (row.split("\t") for row in rows)
    ]


def write_manifest(folder: Path, recordings: Iterable[Recording]) -> int:
    """Write `manifest.tsv` of recordings that lie in the folder; returns how many they are."""
    rows = [f"{r.path.name}\t{r.transcript}\t{r.speaker}\t{r.seconds:.2f}\n" for r in recordings]
    text = "file\ttranscript\tspeaker\tseconds\n" + "".join(rows)
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    return len(rows)


def for_training(folder: Path) -> list[Recording]:
    """What is not held out of a corpus.

    Raises:
        ValueError: It is a dev set.
    """
    if folder.name in DEV_SETS:
        raise ValueError(f"{folder.name} is a dev set")
    found = read_manifest(folder)
    return [r for r in found if not is_held_out(r.path)] if folder.name == "coffee-a" else found


def read_audio(path: Path) -> NDArray[np.float32]:
    """Mono samples at 16 kHz."""
    audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = np.ascontiguousarray(audio[:, 0])
    return (
        mono if rate == SAMPLE_RATE else soxr.resample(mono, rate, SAMPLE_RATE).astype(np.float32)
    )


def is_held_out(path: Path) -> bool:
    """Whether a recording of `coffee-a`, which serves both uses, stays with the dev half."""
    return hashlib.sha256(path.name.encode()).digest()[0] % 2 == 0


def weight_of(source: str) -> float:
    """Weight of the utterances of a corpus; 0 for what is synthetic."""
    return next((corpus.weight for corpus in CORPORA if corpus.name == source), 0.0)


def utterances(
    speech: Path, corpus: Corpus, speed: float, seed: int, transcripts: Transcripts
) -> Iterator[Utterance]:
    """All of a corpus, `speed` times as fast and as high, with a little silence around.

    Args:
        speech: Where the folder of the corpus lies.
        corpus: Which, and what is known of it.
        speed: 1.0 leaves it as it is.
        seed: Of the silences.
        transcripts: Words of recordings whose own transcripts are not verbatim.
    """
    recordings, rng = for_training(speech / corpus.name), random.Random(seed)
    for group in _groups(recordings, corpus.join, rng):
        pieces = [
            soxr.resample(read_audio(r.path), SAMPLE_RATE * speed, SAMPLE_RATE) for r in group
        ]
        silence = [np.zeros(int(SAMPLE_RATE * rng.uniform(0.02, 0.3)), np.float32) for _ in group]
        parts = [part for pair in zip(silence, pieces, strict=True) for part in pair]
        audio = np.concatenate(
            [*parts, np.zeros(int(SAMPLE_RATE * rng.uniform(0.3, 0.6)), np.float32)]
        )
        if len(audio) <= MAX_SECONDS * SAMPLE_RATE:
            words = [_words(r, corpus, transcripts) for r in group]
            text = " ".join(map(normalize, words)) if _is_plain(words) else ""
            clipped = (np.clip(audio, -1, 1) * 32767).astype(np.int16)
            yield Utterance(text, corpus.name, f"{group[0].speaker} x{speed}", clipped)


def _words(recording: Recording, corpus: Corpus, transcripts: Transcripts) -> str:
    if not corpus.verbatim:
        return transcripts.get(recording.path.name)
    return corpus.spelled.get(recording.transcript, recording.transcript)


def _is_plain(words: list[str]) -> bool:
    """Digits and abbreviations are read in ways the transcript does not tell."""
    text = " ".join(words)
    return not any(c.isdigit() for c in text) and "St." not in text and "&" not in text


def _groups(
    recordings: list[Recording], size: int, rng: random.Random
) -> Iterator[list[Recording]]:
    if size == 1:
        yield from ([r] for r in recordings)
        return
    for _, of_speaker in groupby(
        sorted(recordings, key=lambda r: r.speaker), key=lambda r: r.speaker
    ):
        mine = list(of_speaker)
        rng.shuffle(mine)
        yield from (mine[i : i + size] for i in range(0, len(mine), size))
