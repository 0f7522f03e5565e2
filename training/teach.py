"""Stage 3: collect the recorded speech and let the teacher listen to every shard.

    nice -n 19 python -m training.teach --jobs 2

Recorded speech becomes shards `rec-<corpus>-x<speed>`, one for each speed, with the words that
`training.transcribe` has written down by then; recordings without any keep the teacher's. Whatever
shard the teacher has not heard yet is taught, recorded speech first; it may be stopped and started
at will, and run again when more was synthesized. One core listens to about 75 hours an hour.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numpy as np
from rich.progress import track

from training.recordings import CORPORA, Corpus, utterances
from training.script import SCRIPT, Script
from training.shards import Shard, list_shards, write_shard, write_teacher
from training.teacher import Teacher
from training.text import normalize
from training.transcripts import Transcripts
from training.workspace import Workspace, add_workspace_arguments

__all__ = ["collect", "main", "teach"]


def collect(speech: Path, corpus: Corpus, speed: float, work: Workspace) -> None:
    """Write the shard of a corpus at a speed, with the words that were written down for it."""
    words = Transcripts(work.transcripts / f"{corpus.name}.tsv")
    found = utterances(speech, corpus, speed, int(speed * 1000), words)
    write_shard(_shard_of(corpus, speed, work), found)


def teach(folder: Path, teacher_folder: Path, recordings: Path | None = None) -> int:
    """Let the teacher listen to a shard; returns the number of utterances.

    Args:
        folder: The shard.
        teacher_folder: The teacher's model.
        recordings: Where the script lies of a corpus that has one: its line is believed, not the
            teacher, and nothing where no line is close.
    """
    shard, teacher = Shard(folder), Teacher(teacher_folder)
    source = str(shard.rows[0]["source"]) if len(shard) else ""
    heard = (teacher.listen(shard.audio(i) / np.float32(32768)) for i in range(len(shard)))
    path = recordings / source / SCRIPT if recordings else None
    if any(corpus.name == source and corpus.wordless for corpus in CORPORA):
        heard = ((frames, "") for frames, _ in heard)
    elif path and path.exists():
        script = Script.read(path)
        heard = ((frames, script.closest(normalize(text))) for frames, text in heard)
    write_teacher(shard, heard)
    return len(shard)


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_workspace_arguments(parser, speech=True, teacher=True)
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: %(default)s)")
    arguments = parser.parse_args()
    work = Workspace.of(arguments.work)
    wanted = [(corpus, speed) for corpus in CORPORA for speed in corpus.speeds]
    for corpus, speed in track(wanted, "collecting recordings"):
        for speech in (arguments.speech, work.recordings):
            if (speech / corpus.name).exists() and not _shard_of(corpus, speed, work).exists():
                collect(speech, corpus, speed, work)
    with ProcessPoolExecutor(arguments.jobs) as pool:
        untaught = [shard.folder for shard in list_shards(work.shards, taught=False)]
        running = [
            pool.submit(teach, folder, arguments.teacher, work.recordings) for folder in untaught
        ]
        for done in track(as_completed(running), "teacher listens", total=len(running)):
            done.result()


def _shard_of(corpus: Corpus, speed: float, work: Workspace) -> Path:
    return work.shards / f"rec-{corpus.name}-x{speed}"


if __name__ == "__main__":
    main()
