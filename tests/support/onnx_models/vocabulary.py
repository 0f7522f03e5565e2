"""The pieces a random model writes, in the files' own notation."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product
from typing import Final

__all__ = ["Vocabulary"]

SPECIAL: Final = ("<blk>", "<sos/eos>", "<unk>")
BYTES: Final = tuple(f"<0x{byte:02X}>" for byte in range(256))

WORD: Final = "\u2581"
"""Begins a word, as sentencepiece writes it."""

COMMON: Final = (
    *"etaoinsrhldcumfpgwybvkxjqz'",
    *(WORD + word for word in ("", "the", "a", "i", "to", "of", "and", "in", "is", "it", "you")),
    *("s", "ing", "ed", "er", "en", "re", "on", "or", "al", "an", "ight", "le", "ch", "th"),
    *(WORD + word for word in ("s", "c", "b", "w", "turn", "light", "kitchen", "please")),
)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Pieces by id. The byte groups are ids, empty without byte fallback."""

    pieces: tuple[str, ...]
    leads: range
    """Bytes 0xC3 to 0xDF: the first of two, U+00C0 to U+07FF."""
    continuations: range
    """Bytes 0x80 to 0xBF: the second of two."""
    unused: tuple[int, ...]
    """Never written: the sentence mark, and bytes that no two-byte character has."""

    @classmethod
    def make(cls, size: int, *, bytes_fallback: bool) -> "Vocabulary":
        """Take `size` pieces, the three special ones included, and 256 byte pieces on top."""
        plain = tuple(islice(_plain_pieces(), size - len(SPECIAL)))
        if not bytes_fallback:
            return cls(SPECIAL + plain, range(0), range(0), (1,))
        first = len(SPECIAL)
        leads = range(first + 0xC3, first + 0xE0)
        continuations = range(first + 0x80, first + 0xC0)
        unused = set(range(first, first + 256)) - set(leads) - set(continuations)
        return cls(SPECIAL + BYTES + plain, leads, continuations, (1, *sorted(unused)))

    @property
    def text(self) -> str:
        """The contents of `tokens.txt`."""
        return "".join(f"{piece} {index}\n" for index, piece in enumerate(self.pieces))


def _plain_pieces() -> Iterator[str]:
    """Common pieces first, then made-up syllables, all different."""
    seen = dict.fromkeys(COMMON)
    yield from seen
    for parts in product(("", WORD), "bdfgklmnprstvz", "aeiou", ("", *"lmnrst")):
        piece = "".join(parts)
        if piece not in seen:
            yield piece
