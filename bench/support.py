"""What every benchmark needs: options, recordings, fair turns, medians and tables."""

import argparse
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from wyoming_stt.audio.media import MediaReader
from wyoming_stt.audio.pcm import PcmReader
from wyoming_stt.audio.resample import Resampler
from wyoming_stt.types import SAMPLE_RATE

__all__ = [
    "CORES",
    "Recording",
    "interleaved",
    "median",
    "median_ratio",
    "milliseconds",
    "noise",
    "options",
    "percentile",
    "pieces",
    "print_table",
    "recordings",
    "require_right",
    "samples_of",
    "with_silence",
]

Item = TypeVar("Item")
Rival = TypeVar("Rival")

CORES = len(os.sched_getaffinity(0))

_SHARED = Path(__file__).resolve().parents[2] / "shared"
_SUFFIXES = {".flac", ".ogg", ".opus", ".wav", ".mp3", ".m4a"}
_NOISE_FLOOR = 4
"""Of 16-bit full scale: a quiet room. Digital silence would be no test of a voice detector."""


def options(description: str) -> argparse.ArgumentParser:
    """Make the options that all benchmarks share; a caller adds its own."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--model-dir",
        type=Path,
        default=_SHARED / "models" / "streaming-zipformer2-en-3.3m",
        metavar="DIR",
        help="streaming transducer: ONNX files and tokens.txt (%(default)s)",
    )
    parser.add_argument(
        "--recordings",
        type=Path,
        default=_SHARED / "speech" / "librispeech-other-a",
        metavar="DIR",
        help="folder of sound files (%(default)s)",
    )
    return parser


@dataclass(frozen=True, slots=True)
class Recording:
    """16-bit mono PCM at 16 kHz."""

    name: str
    pcm: bytes

    @property
    def duration_s(self) -> float:
        return len(self.pcm) / 2 / SAMPLE_RATE


def recordings(folder: Path, most: int, *, shortest: bool = False) -> list[Recording]:
    """Read the first recordings of a folder by name, or its shortest."""
    files = sorted(path for path in folder.glob("*") if path.suffix in _SUFFIXES)
    if not files:
        raise SystemExit(f"{folder}: no recordings (choose a folder with --recordings)")
    read = [_read(path) for path in (files if shortest else files[:most])]
    if shortest:
        read.sort(key=lambda recording: recording.duration_s)
    return read[:most]


def with_silence(recording: Recording, duration_s: float) -> Recording:
    """Append the silence of a quiet room, the same every time."""
    return Recording(recording.name, recording.pcm + noise(duration_s, _NOISE_FLOOR))


def noise(duration_s: float, level: float) -> bytes:
    """Make white noise of that standard deviation, the same every time."""
    size = round(duration_s * SAMPLE_RATE)
    return np.random.default_rng(1).normal(0, level, size).astype("<i2").tobytes()


def pieces(pcm: bytes, duration_s: float) -> list[bytes]:
    """Cut PCM into pieces of that length; the last may be shorter."""
    size = round(duration_s * SAMPLE_RATE) * 2
    return [pcm[start : start + size] for start in range(0, len(pcm), size)]


def samples_of(pcm: bytes) -> np.ndarray:
    """Turn PCM into float32 samples as the recognisers take them."""
    return np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)


def interleaved(
    items: Iterable[Item], rivals: Sequence[Rival], rounds: int
) -> Iterator[tuple[int, Item, Rival]]:
    """Give every rival every item, one right after the other, and each the first turn."""
    turn = 0
    for number in range(rounds):
        for item in items:
            shift = turn % len(rivals)
            for rival in (*rivals[shift:], *rivals[:shift]):
                yield number, item, rival
            turn += 1


def median(values: Iterable[float]) -> float:
    return percentile(values, 50)


def percentile(values: Iterable[float], percent: float) -> float:
    return float(np.percentile(list(values), percent))


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Compare pair by pair: what disturbed one most likely disturbed the other."""
    ratio = median(a / b for a, b in zip(ours, theirs, strict=True))
    return f"{ratio:.2f}"


def require_right(ours: Iterable[tuple[str, int, int]]) -> None:
    """Fail unless all is right of each (name, right, total): a fast wrong answer is none."""
    wrong = [f"{name}: {total - right} of {total}" for name, right, total in ours if right < total]
    if wrong:
        raise SystemExit(f"texts differ from sherpa-onnx's: {'; '.join(wrong)}")


def milliseconds(duration_s: float) -> str:
    return f"{duration_s * 1000:.1f}"


def print_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print Markdown; all columns but the first are numbers."""
    print("| " + " | ".join(head) + " |")
    print("| --- |" + " ---: |" * (len(head) - 1))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |", flush=True)
    print()


def _read(path: Path) -> Recording:
    reader = MediaReader(path)
    pcm, resampler = PcmReader(reader.format), Resampler(reader.format.rate)
    parts = [resampler.push(pcm.push(piece)) for piece in reader]
    samples = np.concatenate([*parts, resampler.finish()])
    values = np.clip(np.rint(samples * 32768), -32768, 32767).astype("<i2")
    return Recording(path.stem, values.tobytes())
