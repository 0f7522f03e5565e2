r"""Stage 2c: people who speak other languages, 12 hours of them, to be heard but not understood.

    mkdir volunteers && cd volunteers
    apt-get download asterisk-core-sounds-en-wav asterisk-core-sounds-es-wav \
        asterisk-core-sounds-fr-wav asterisk-core-sounds-it-wav asterisk-core-sounds-ru-wav \
        asterisk-prompt-it-menardi-wav festvox-ru fillets-ng-data fillets-ng-data-cs \
        fillets-ng-data-nl hedgewars-data kajongg klettres-data ktuberling-data qabcs-data \
        tuxpaint-stamps-default
    for package in *.deb; do dpkg-deb -x $package .; done; cd -
    python -m training.foreign --root volunteers

Volunteers who read the names of things for children's programs, announcers, actors: other voices,
rooms and microphones than English recordings have. What the teacher's encoder says about them can
be imitated, although the words it would write are none. Some clips are English, which does not
matter. They become two folders of recordings in the work folder, where `training.teach` finds them.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import soundfile
from rich.progress import track

from training.recordings import Recording, read_audio, write_manifest
from training.voices import SAMPLE_RATE
from training.workspace import Workspace, add_workspace_arguments

__all__ = ["PLACES", "Clip", "clips", "main", "write_corpus"]

PLACES = (
    r"asterisk/sounds/(\w+)/.*\.wav",
    r"festival/voices/(russian)/.*\.wav",
    r"games/fillets-ng/sound/.*/(\w\w)/[^/]*\.ogg",
    r"games/hedgewars/Data/Sounds/voices/(\w+)/.*\.ogg",
    r"kajongg/voices/(.*)/[^/]*\.ogg",
    r"klettres/(\w+)/.*\.ogg",
    r"ktuberling/sounds/(\w+)/.*\.(?:ogg|wav)",
    r"qabcs/abcs/(\w+)/sounds/(?:alpha|words)/.*\.\w+",
    r"tuxpaint/stamps/.*_desc((?:_\w+)?)\.ogg",
)
"""Below usr/share; the group tells one voice, or a few, from the others of its package."""
WORD_SECONDS, LONGEST = 3.0, 16.0
"""Up to which a clip is a word, to be joined with others of its voice; and to be kept at all."""
SHORTEST = 0.3


class Clip(NamedTuple):
    """A recording, and a name for its voice."""

    path: Path
    voice: str


def clips(root: Path) -> Iterator[Clip]:
    """What is spoken in packages that were unpacked into `root`, in the order of its paths."""
    share = root / "usr/share"
    for path in sorted(p for p in share.rglob("*") if p.is_file()):
        inside = path.relative_to(share).as_posix()
        for place in PLACES:
            if found := re.fullmatch(place, inside):
                yield Clip(path, re.sub(r"\W+", "-", f"{inside.split('/')[0]}-{found[1]}"))


def write_corpus(found: list[Clip], folder: Path, *, words: bool) -> int:
    """Write the clips that are words, or the longer ones, as a corpus; returns how many."""
    part = folder.with_name(folder.name + ".part")
    part.mkdir(parents=True, exist_ok=True)
    kept = []
    for number, clip in enumerate(track(found, folder.name)):
        try:
            audio = read_audio(clip.path)
        except soundfile.LibsndfileError:
            continue  # a file of another kind under such a name
        seconds = len(audio) / SAMPLE_RATE
        if SHORTEST <= seconds <= LONGEST and (seconds < WORD_SECONDS) == words:
            path = part / f"{number:05d}.flac"
            soundfile.write(path, audio, SAMPLE_RATE, subtype="PCM_16")
            kept.append(Recording(path, "", clip.voice, seconds))
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
        required=True,
        help="folder into which the packages were unpacked",
    )
    arguments = parser.parse_args()
    work, found = Workspace.of(arguments.work), list(clips(arguments.root))
    if not found:
        parser.error(f"{arguments.root}/usr/share has none of the packages that --help names")
    for name, words in (("foreign-sentences", False), ("foreign-words", True)):
        if not (work.recordings / name).exists():
            write_corpus(found, work.recordings / name, words=words)


if __name__ == "__main__":
    main()
