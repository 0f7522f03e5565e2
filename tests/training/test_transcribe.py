from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from training.recordings import CORPORA, Recording, is_held_out
from training.script import Script
from training.text import normalize
from training.transcribe import WINDOW_SECONDS, groups, share_out, transcribe
from training.transcripts import WRITTEN, Transcripts


def recording(name: str, seconds: float, folder: Path = Path()) -> Recording:
    return Recording(folder / name, "", "", seconds)


def test_short_recordings_share_a_window_and_long_ones_are_alone() -> None:
    lengths = [2.0, 12.0, *[4.0] * 12]
    made = list(groups(recording(str(n), s) for n, s in enumerate(lengths)))
    assert sorted(r.path.name for group in made for r in group) == sorted(
        str(n) for n in range(len(lengths))
    )
    assert ["1"] in [[r.path.name for r in group] for group in made]
    assert all(sum(r.seconds for r in group) <= WINDOW_SECONDS for group in made)
    assert len(made) == 4


def test_words_go_to_the_recording_in_which_something_like_them_was_heard() -> None:
    said = "you're asking for trouble king at least i don't look like it yes"
    rough = ["you asking for trouble kin", "at lease don't look", "like it", ""]
    assert share_out(said, rough) == [
        "you're asking for trouble king",
        "at least i don't look",
        "like it",
        "yes",
    ]


words = st.lists(st.text("abc", min_size=1, max_size=4), max_size=8).map(" ".join)


@given(said=words, rough=st.lists(words, min_size=1, max_size=5))
def test_no_word_is_lost_or_split(said: str, rough: list[str]) -> None:
    parts = share_out(said, rough)
    assert len(parts) == len(rough)
    assert " ".join(part for part in parts if part) == said


@pytest.fixture
def pair(tmp_path: Path) -> list[Recording]:
    for name in ("a.wav", "b.wav"):
        soundfile.write(tmp_path / name, np.zeros(16000, np.float32), 16000)
    return [recording(name, 1.0, tmp_path) for name in ("a.wav", "b.wav")]


def test_what_the_teacher_heard_nothing_of_is_not_believed(pair: list[Recording]) -> None:
    heard = iter(["good mornin sir", "fgh"])

    def write(audio: NDArray[np.float32]) -> str:
        assert len(audio) > 2 * 16000
        return "good morning sir thank you"

    assert transcribe(pair, write, lambda _: next(heard)) == ["good morning sir", ""]


def test_a_script_has_the_last_word(pair: list[Recording]) -> None:
    heard = iter(["i am the doctor of the castle", "and who are you"])
    script = Script(["i am the director of the castle"])
    said = "i am the doctor of the castle and who are you"
    assert transcribe(pair, lambda _: said, lambda _: next(heard), script) == [
        "i am the director of the castle",
        "and who are you",
    ]


def test_transcripts_are_found_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "coffee.tsv"
    Transcripts(path).add({"a.wav": "a latte"})
    again = Transcripts(path)
    again.add({"b.wav": ""})
    found = Transcripts(path)
    assert "a.wav" in found
    assert "b.wav" in found
    assert "c.wav" not in found
    assert [found.get(name) for name in ("a.wav", "b.wav", "c.wav")] == ["a latte", "", ""]


WRITTEN_FILES = sorted(WRITTEN.glob("*.tsv"))


@pytest.mark.parametrize("path", WRITTEN_FILES, ids=lambda path: path.stem)
def test_what_lies_here_is_as_the_model_writes_it_and_of_no_recording_held_out(path: Path) -> None:
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    assert path.stem in {corpus.name for corpus in CORPORA if not corpus.verbatim}
    assert [text for _, text in rows if text != normalize(text)] == []
    assert path.stem != "coffee-a" or not any(is_held_out(Path(name)) for name, _ in rows)
    assert all(name in Transcripts(Path(path.name)) for name, _ in rows)
