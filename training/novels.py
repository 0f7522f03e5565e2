"""Books in the public domain: English as people read it aloud, long sentences and all."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path

from training.text import normalize

__all__ = ["NOVELS", "load_books", "load_novels"]

NOVELS = Path("/usr/lib/R/site-library/janeaustenr/data/Rdata.rdb")
"""Debian package `r-cran-janeaustenr`: Jane Austen's six novels, texts of Project Gutenberg."""
WORDS = (5, 26)
"""Of a sentence: what is said in one breath, 2 to 10 seconds."""

_R_HEADER = b"X\n"
_R_STRING = b"\x00\x04\x00\x09"
"""A character string of R's serialisation (R Internals, 1.8): this, its length, its bytes."""


def load_novels(path: Path = NOVELS) -> list[str]:
    """Sentences and clauses of Jane Austen's novels, normalised, in their order.

    Raises:
        ValueError: The file is not a database of R as that package has it.
    """
    data, found = path.read_bytes(), []
    while data:
        unpacker = zlib.decompressobj()
        try:
            unpacked = unpacker.decompress(data[4:])  # behind its length
        except zlib.error as error:
            raise ValueError(f"{path} is no lazy-load database of R") from error
        data = unpacker.unused_data
        if unpacked.startswith(_R_HEADER):
            found += _sentences(_strings(unpacked))
    return found


def load_books(folder: Path) -> list[str]:
    """Sentences and clauses of all `.txt` files below a folder, normalised, by their names."""
    texts = (path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.txt")))
    return [clause for text in texts for clause in _sentences(text.splitlines())]


def _strings(unpacked: bytes) -> list[str]:
    lines, at = [], unpacked.find(_R_STRING)
    while at >= 0:
        (length,) = struct.unpack_from(">i", unpacked, at + 4)
        lines.append(unpacked[at + 8 : at + 8 + max(0, length)].decode())
        at = unpacked.find(_R_STRING, at + 8 + max(0, length))
    return lines


def _sentences(lines: list[str]) -> list[str]:
    """Lines of a book, an empty one behind each paragraph, to what is said between stops."""
    text = re.sub(r"\b(Mr|Mrs|Dr|St)\.", r"\1", " ".join(line or "." for line in lines))
    text = text.replace("--", ", ").replace("_", "")
    text = re.sub(r"\bSt\b", "saint", text)
    clauses = [normalize(clause) for clause in re.split(r"[.;:!?]", text)]
    shortest, longest = WORDS
    return [clause for clause in clauses if shortest <= len(clause.split()) <= longest]
