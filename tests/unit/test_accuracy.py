from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_stt.accuracy import read_manifest, word_errors, words
from wyoming_stt.errors import SettingsError

some_words = st.lists(st.sampled_from("abc"), max_size=8)


def test_capitals_and_punctuation_do_not_count() -> None:
    assert words("Turn on, the LAMP: it's DARK!") == ("turn", "on", "the", "lamp", "it's", "dark")
    assert words("Schalte das Licht im Büro aus.")[4] == "büro"


@pytest.mark.parametrize(
    ("reference", "heard", "errors"),
    [("abc", "abc", 0), ("abc", "", 3), ("", "ab", 2), ("abc", "axc", 1), ("abcd", "acd", 1)],
)
def test_errors_are_counted(reference: str, heard: str, errors: int) -> None:
    assert word_errors(reference, heard) == errors


@given(some_words, some_words, some_words)
def test_it_is_a_distance(a: list[str], b: list[str], c: list[str]) -> None:
    assert word_errors(a, b) == word_errors(b, a)
    assert (word_errors(a, b) == 0) == (a == b)
    assert word_errors(a, c) <= word_errors(a, b) + word_errors(b, c)


def test_a_manifest_is_read(tmp_path: Path) -> None:
    table = tmp_path / "m.tsv"
    table.write_text("file\ttranscript\na.wav\tTurn on\nb.wav\t\nc.wav\n", encoding="utf-8")
    (tmp_path / "a.wav").touch()
    (reference,) = read_manifest(table)
    assert (reference.file, reference.words) == (tmp_path / "a.wav", ("turn", "on"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no recording"),
        (b"file,transcript\na,b\n", "expected columns"),
        (b"file\ttranscript\na.wav\n", "no recording"),
        (b"file\ttranscript\na.wav\tTurn on\n", "a.wav, which is not there"),
        (b"file\ttranscript\na.wav\t\n", "no recording"),
        (b"\xff\xfe", "cannot read"),
    ],
)
def test_a_table_of_another_kind_is_an_error(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "m.tsv").write_bytes(content)
    with pytest.raises(SettingsError, match=reason):
        read_manifest(tmp_path / "m.tsv")
