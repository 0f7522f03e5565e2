"""Stage 2b: actors of adventure games, 8 hours of people who talk to each other.

    mkdir games && cd games
    apt-get download beneath-a-steel-sky drascula flight-of-the-amazon-queen
    for package in *.deb; do dpkg-deb -x $package .; done; cd -
    python -m training.adventures --root games

Unpacks what is spoken in three games of Debian's main archive, whose licences (BSD-like: copy,
change, pass on, but do not sell the game) are in `usr/share/doc/*/copyright`. Each becomes a folder
of recordings with its manifest in `recordings/` of the work folder, where `training.teach` finds
it. The layouts of the archives are those that ScummVM reads.
"""

from __future__ import annotations

import argparse
import io
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray
from rich.progress import track

from training import propack
from training.recordings import Recording, write_manifest
from training.script import SCRIPT, Script, lines_in
from training.workspace import Workspace, add_workspace_arguments

__all__ = [
    "GAMES",
    "Game",
    "Line",
    "amazon_queen",
    "amazon_queen_text",
    "drascula",
    "drascula_text",
    "main",
    "steel_sky",
    "write_recordings",
]

RATE = 11025
"""Samples a second in all three."""
SHORTEST = 0.4
"""Seconds of a line that is kept: shorter ones are groans."""


class Line(NamedTuple):
    """What an actor says at a time: a name that is unique in its game, and samples at RATE."""

    name: str
    audio: NDArray[np.float32]


class Game(NamedTuple):
    """Readers of a game's folder: what is said, and texts among which its words are."""

    speech: Callable[[Path], Iterator[Line]]
    text: Callable[[Path], list[str]] | None = None


def amazon_queen(folder: Path) -> Iterator[Line]:
    """Flight of the Amazon Queen: MP3 in files `*.SB` of an archive."""
    for stem, suffix, data in _queen_files(folder):
        if suffix == "SB":
            audio, _ = soundfile.read(io.BytesIO(data), dtype="float32")
            yield Line(stem, audio)


def amazon_queen_text(folder: Path) -> list[str]:
    """Dialogues, and what the hero says about things."""
    files = [data for _, suffix, data in _queen_files(folder) if suffix in ("DOG", "JAS", "CUT")]
    return [line for data in files for line in lines_in(data)]


def steel_sky(folder: Path) -> Iterator[Line]:
    """Beneath a Steel Sky: a table of numbers and places; packed bytes behind a header."""
    table, data = (folder / "sky.dnr").read_bytes(), (folder / "sky.dsk").read_bytes()
    speech, header = range(50_000, 60_000), 22
    for at in range(4, 4 + 8 * int.from_bytes(table[:4], "little"), 8):
        number = int.from_bytes(table[at : at + 2], "little")
        place = int.from_bytes(table[at + 2 : at + 5], "little")
        size = int.from_bytes(table[at + 5 : at + 8], "little") & 0x3FFFFF
        start = (place & 0x7FFFFF) << (4 if place >> 23 else 0)
        packed = data[start + header : start + size]
        if number in speech and packed.startswith(propack.MAGIC):
            yield Line(str(number), _from_bytes(propack.unpack(packed)))


def drascula(folder: Path) -> Iterator[Line]:
    """Drascula: a file a line, of bytes behind a header."""
    for path in sorted((folder / "en").glob("*.ALS")):
        yield Line(path.stem, _from_bytes(path.read_bytes()[32:]))


def drascula_text(folder: Path) -> list[str]:
    """All that is in the engine's file for this game."""
    return lines_in((folder / "en" / "drascula.dat").read_bytes())


GAMES = {
    "flight-of-the-amazon-queen": Game(amazon_queen, amazon_queen_text),
    "beneath-a-steel-sky": Game(steel_sky),
    "drascula": Game(drascula, drascula_text),
}
"""By the name of the Debian package, of its folder, and of the corpus."""


def write_recordings(lines: Iterable[Line], folder: Path, text: Sequence[str] = ()) -> int:
    """Write a corpus in the layout of `recordings.read_manifest`; returns how many lines it has."""
    part = folder.with_name(folder.name + ".part")
    part.mkdir(parents=True, exist_ok=True)
    kept = []
    for line in lines:
        seconds = len(line.audio) / RATE
        if seconds >= SHORTEST:
            path = part / f"{line.name}.flac"
            soundfile.write(path, line.audio, RATE, subtype="PCM_16")
            kept.append(Recording(path, "", "", seconds))
    if text:
        Script(text).write(part / SCRIPT)
    count = write_manifest(part, kept)
    part.rename(folder)
    return count


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_workspace_arguments(parser)
    parser.add_argument(
        "--root",
        type=Path,
        default=Path("/"),
        help="folder into which the packages were unpacked (default: %(default)s)",
    )
    arguments = parser.parse_args()
    work = Workspace.of(arguments.work)
    for name, game in GAMES.items():
        folder = arguments.root / "usr/share/scummvm" / name
        if not folder.exists():
            parser.error(f"{folder} is not there: unpack the Debian package {name}, or say --root")
        if not (work.recordings / name).exists():
            lines = track(game.speech(folder), f"unpacking {name}", total=None)
            text = game.text(folder) if game.text else []
            write_recordings(lines, work.recordings / name, text)


def _queen_files(folder: Path) -> Iterator[tuple[str, str, bytes]]:
    """Stem, suffix and content of each file, behind a table of names and places."""
    data = (folder / "queen.1c").read_bytes()
    if data[:4] != b"QTBL":
        raise ValueError(f"{folder / 'queen.1c'} is no archive of this game")
    (count,) = struct.unpack_from(">H", data, 13)
    for name, _, start, size in struct.iter_unpack(">12sBII", data[15 : 15 + 21 * count]):
        stem, _, suffix = name.rstrip(b"\0").decode("ascii").partition(".")
        yield stem, suffix, data[start : start + size]


def _from_bytes(unsigned: bytes) -> NDArray[np.float32]:
    return np.frombuffer(unsigned, np.uint8).astype(np.float32) / np.float32(128) - np.float32(1)


if __name__ == "__main__":
    main()
