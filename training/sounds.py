"""Stage 2c: music, signals and clatter of Debian's packages, as backgrounds to speak in front of.

    mkdir sounds && cd sounds
    apt-get download wesnoth-1.16-music lincity-ng-data sonic-pi-samples    # DATA.md has them all
    for package in *.deb; do dpkg-deb -x $package .; done; cd -
    python -m training.sounds --root sounds

Cuts every sound file under the folder into pieces of 20 s, which `training.train` then finds in
`sounds/` of the work folder and mixes with the recorded noise. Of a long file a few stretches are
taken, so that a symphony is not heard more often than a siren; short ones are joined.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from rich.progress import track

from training.recordings import read_audio
from training.voices import SAMPLE_RATE
from training.workspace import Workspace, add_workspace_arguments

__all__ = ["main", "pieces"]

SUFFIXES = (".flac", ".mp3", ".ogg", ".opus", ".wav")
PIECE_SAMPLES = 20 * SAMPLE_RATE
STRETCHES = 4
"""Pieces of a file, at most, evenly spaced."""
FAINTEST = 1e-3
"""Root mean square below which a piece is silence."""


def pieces(files: Iterable[Path]) -> Iterator[NDArray[np.float32]]:
    """Stretches of at most 20 s at 16 kHz, in the order of the files; short files are joined."""
    short: list[NDArray[np.float32]] = []
    for path in files:
        try:
            audio = read_audio(path)
        except soundfile.LibsndfileError:  # not all that is called .wav is sound
            continue
        if len(audio) < PIECE_SAMPLES:
            short.append(audio)
        else:
            yield from filter(_is_audible, _stretches(audio))
        if sum(map(len, short)) >= PIECE_SAMPLES:
            yield from filter(_is_audible, [np.concatenate(short)[:PIECE_SAMPLES]])
            short = []
    if short:
        yield from filter(_is_audible, [np.concatenate(short)])


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_workspace_arguments(parser)
    parser.add_argument(
        "--root", type=Path, required=True, help="folder into which the packages were unpacked"
    )
    arguments = parser.parse_args()
    files = sorted(p for p in arguments.root.rglob("*") if p.suffix.lower() in SUFFIXES)
    if not files:
        parser.error(f"no sound file under {arguments.root}: unpack some packages there")
    work = Workspace.of(arguments.work)
    if work.sounds.exists():
        parser.error(f"{work.sounds} is there already: remove it to cut other sounds")
    work.sounds.mkdir()
    for number, piece in enumerate(pieces(track(files, "cutting sounds"))):
        path = work.sounds / f"{number:04d}.flac"
        soundfile.write(path, np.clip(piece, -1, 1), SAMPLE_RATE, subtype="PCM_16")


def _stretches(audio: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    count = min(STRETCHES, len(audio) // PIECE_SAMPLES)
    starts = np.linspace(0, len(audio) - PIECE_SAMPLES, count).astype(int)
    return [audio[start : start + PIECE_SAMPLES] for start in starts]


def _is_audible(audio: NDArray[np.float32]) -> bool:
    return len(audio) > 0 and float(np.sqrt(np.mean(audio**2))) > FAINTEST


if __name__ == "__main__":
    main()
