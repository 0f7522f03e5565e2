from pathlib import Path

import numpy as np

from tests.support.shared import MODEL, needs_shared, recordings
from training.recordings import read_audio
from training.script import SCRIPT, Script, lines_in
from training.shards import Shard, Utterance, write_shard
from training.teach import teach


def test_texts_are_found_behind_their_lengths() -> None:
    first, second = b"You don't get out of it that easy.", b"I'LL BE BACK IN FIFTEEN MINUTES"
    data = bytes([0, len(first)]) + first + b"\0\1" + bytes([len(second) + 2]) + second + bytes(3)
    assert lines_in(data) == [
        "you don't get out of it that easy",
        "i'll be back in fifteen minutes",
    ]


def test_gestures_part_lines_and_numbers_go() -> None:
    data = b"\2*FLWait here, Sparky.*03I'll go upstairs.\0\x108Take this\xff"
    assert lines_in(data) == ["wait here sparky", "i'll go upstairs", "take this"]


def test_what_is_meant_is_the_closest_line(tmp_path: Path) -> None:
    Script(["i think i've just about worn it out", "hello", "well rita how about one"]).write(
        tmp_path / SCRIPT
    )
    script = Script.read(tmp_path / SCRIPT)
    assert script.closest("i think just about warn it out") == "i think i've just about worn it out"
    assert script.closest("something else altogether") == ""
    assert script.closest("hello") == "hello"
    assert script.closest("help") == ""  # a few letters must nearly all be the same


@needs_shared
def test_the_script_is_believed_before_the_teacher(tmp_path: Path) -> None:
    (recording,) = recordings("ha-commands-tts-en", 1)
    audio = (read_audio(recording.path) * 32767).astype(np.int16)
    said = recording.transcript.lower().rstrip(".")
    for corpus, lines in (("right", [said + " please", "nothing like it"]), ("other", ["no"])):
        (tmp_path / "recordings" / corpus).mkdir(parents=True)
        Script(lines).write(tmp_path / "recordings" / corpus / SCRIPT)
        write_shard(tmp_path / corpus, [Utterance("", corpus, "", audio)])
        teach(tmp_path / corpus, MODEL, tmp_path / "recordings")
    assert Shard(tmp_path / "right").heard(0) == said + " please"
    assert Shard(tmp_path / "other").heard(0) == ""
