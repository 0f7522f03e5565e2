"""Data shards: folders of mapped arrays, so that tens of hours need no memory.

A shard holds `audio.npy` (int16, 16 kHz, all utterances joined) and `utterances.jsonl`; the
teacher adds `teacher.npy` (float16, frames by dims, joined) and `teacher.jsonl`, `training.cut`
adds `cuts.jsonl`. A folder appears under its name only when it is complete.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["Shard", "Utterance", "list_shards", "write_cuts", "write_shard", "write_teacher"]

CUTS = "cuts.jsonl"


@dataclass(frozen=True)
class Utterance:
    """One recording: what is said ('' when unknown), where it comes from, and how it sounds."""

    text: str
    source: str
    voice: str
    audio: NDArray[np.int16]


class Shard:
    """A shard on disk, read lazily."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._audio = np.load(folder / "audio.npy", mmap_mode="r")
        self.rows = _read_rows(folder / "utterances.jsonl")
        self._ends = np.cumsum([row["samples"] for row in self.rows])
        self._heard: list[dict[str, object]] = []
        if self.is_taught:
            self._features = np.load(folder / "teacher.npy", mmap_mode="r")
            self._heard = _read_rows(folder / "teacher.jsonl")
            self._feature_ends = np.cumsum([row["frames"] for row in self._heard])
        self._cuts = _read_rows(folder / CUTS) if self.is_cut else []

    @property
    def is_taught(self) -> bool:
        """Whether the teacher has listened to this shard."""
        return (self.folder / "teacher.jsonl").exists()

    @property
    def is_cut(self) -> bool:
        """Whether it is known where its utterances may be cut."""
        return (self.folder / CUTS).exists()

    def is_told(self, index: int) -> bool:
        """Whether anything can be learned from an utterance: from its words or the teacher's."""
        return self.is_taught or bool(self.rows[index]["text"])

    def __len__(self) -> int:
        return len(self.rows)

    def audio(self, index: int) -> NDArray[np.int16]:
        """Samples of an utterance."""
        end = int(self._ends[index])
        return self._audio[end - int(self.rows[index]["samples"]) : end]

    def features(self, index: int) -> NDArray[np.float16]:
        """The teacher's encoder output, (frames, dims), 25 frames a second; none when untaught."""
        if not self._heard:
            return np.zeros((0, 0), np.float16)
        end = int(self._feature_ends[index])
        return self._features[end - int(str(self._heard[index]["frames"])) : end]

    def heard(self, index: int) -> str:
        """What the teacher understood, lower case; nothing when untaught."""
        return str(self._heard[index]["text"]) if self._heard else ""

    def cuts(self, index: int) -> NDArray[np.int64]:
        """Where an utterance may be cut: rows of (frame of 40 ms, words before it)."""
        found = self._cuts[index]["cuts"] if self._cuts else []
        return np.array(found, np.int64).reshape(-1, 2)


def list_shards(folder: Path, *, taught: bool | None = None) -> list[Shard]:
    """Complete shards by name; `taught` filters by whether the teacher has listened."""
    shards = [
        Shard(path.parent)
        for path in sorted(folder.glob("*/utterances.jsonl"))
        if path.parent.suffix != ".part"
    ]
    return [shard for shard in shards if taught is None or shard.is_taught == taught]


def write_shard(folder: Path, utterances: Iterable[Utterance]) -> None:
    """Write a shard and let it appear in one step."""
    part = folder.with_name(folder.name + ".part")
    part.mkdir(parents=True, exist_ok=True)
    listed = list(utterances)
    np.save(
        part / "audio.npy",
        np.concatenate([u.audio for u in listed]) if listed else np.zeros(0, np.int16),
    )
    rows = [
        {k: v for k, v in asdict(u).items() if k != "audio"} | {"samples": len(u.audio)}
        for u in listed
    ]
    _write_rows(part / "utterances.jsonl", rows)
    part.rename(folder)


def write_teacher(shard: Shard, answers: Iterable[tuple[NDArray[np.float16], str]]) -> None:
    """Add the teacher's (features, text) of every utterance, in order.

    Cuts that were found before are dropped: there may be words now where there were none.
    """
    features, rows = [], []
    for frames, text in answers:
        features.append(frames)
        rows.append({"frames": len(frames), "text": text})
    np.save(shard.folder / "teacher.npy", np.concatenate(features))
    _write_rows(shard.folder / "teacher.jsonl", rows)
    (shard.folder / CUTS).unlink(missing_ok=True)


def write_cuts(shard: Shard, cuts: Iterable[list[tuple[int, int]]]) -> None:
    """Add the cuts of every utterance, in order."""
    _write_rows(shard.folder / CUTS, [{"cuts": found} for found in cuts])


def _write_rows(path: Path, rows: Iterable[dict[str, object]]) -> None:
    part = path.with_suffix(".tmp")
    part.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    part.rename(path)


def _read_rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in _lines(path)]


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        yield from file
