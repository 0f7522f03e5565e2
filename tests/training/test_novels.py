import struct
import zlib
from pathlib import Path

import pytest

from training.novels import load_books, load_novels


def r_database(*lines: str) -> bytes:
    """A lazy-load database of R with one vector of strings."""
    strings = b"".join(
        b"\x00\x04\x00\x09" + struct.pack(">i", len(line.encode())) + line.encode()
        for line in lines
    )
    unpacked = b"X\n" + bytes(12) + strings
    return struct.pack(">I", len(unpacked)) + zlib.compress(unpacked)


def test_sentences_are_put_together_from_lines(tmp_path: Path) -> None:
    path = tmp_path / "Rdata.rdb"
    path.write_bytes(
        r_database(
            "CHAPTER I", "", "Mr. Knightley _would_ go to the party,", "she said; and he went."
        )
        + r_database("Too short.", "", "But this one is long enough to be spoken")
    )
    assert load_novels(path) == [
        "mister knightley would go to the party she said",
        "but this one is long enough to be spoken",
    ]


def test_another_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "Rdata.rdb"
    path.write_bytes(b"no database")
    with pytest.raises(ValueError, match=r"Rdata\.rdb is no"):
        load_novels(path)


def test_books_are_all_texts_below_a_folder(tmp_path: Path) -> None:
    (tmp_path / "moby-dick").mkdir()
    (tmp_path / "moby-dick" / "chapter_1.txt").write_text(
        "CHAPTER 1\n\nCall me Ishmael. Some years ago--never mind how long\nprecisely; I went."
    )
    (tmp_path / "moby-dick" / "index.json").write_text("[]")
    assert load_books(tmp_path) == ["some years ago never mind how long precisely"]
    assert load_books(tmp_path / "absent") == []
