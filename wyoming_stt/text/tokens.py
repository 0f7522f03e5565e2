"""The vocabulary of a model: `tokens.txt`, and the way from token ids back to text."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from wyoming_stt.errors import ModelFileError
from wyoming_stt.text import byte_bpe

__all__ = ["WORD_START", "TokenTable"]

WORD_START = "▁"
"""U+2581, sentencepiece's mark for the space before a word."""

_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_SPECIAL = re.compile(r"<[^<>\s]+>|#\d+")
_CJK = (
    r"[\u1100-\u11ff\u2e80-\ua4cf\ua840-\ud7af\uf900-\ufaff"
    r"\ufe30-\ufe4f\uff65-\uffdc\U00020000-\U0002ffff]"
)
_PUNCTUATION = r"[!-/:-@\[-`{-~\u3000-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]"
# As sherpa-onnx: no space between two CJK characters, and none before punctuation.
_UNSPOKEN_SPACE = re.compile(rf"(?<={_CJK}) (?={_CJK})|(?<=.) (?={_PUNCTUATION})")


class TokenTable:
    """Pieces by id. Immutable."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self.pieces = tuple(pieces)
        self._ids = {piece: token_id for token_id, piece in enumerate(self.pieces)}
        self._byte_bpe = byte_bpe.is_byte_bpe(self.pieces)

    @classmethod
    def read(cls, path: Path) -> "TokenTable":
        """Read `symbol id` lines; a line that holds only an id means the space.

        Raises:
            ModelFileError: the file is missing, no UTF-8, or its ids are not 0 to n - 1.
        """
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError as error:
            raise ModelFileError(path, "a list of tokens", "nothing") from error
        except UnicodeDecodeError as error:
            raise ModelFileError(path, "UTF-8 text", f"a bad byte at {error.start}") from error
        by_id: dict[int, str] = {}
        for number, line in enumerate(lines, 1):
            fields = line.split()
            if not fields:
                continue
            try:
                token_id = int(fields[-1])
            except ValueError as error:
                found = f"{line!r} in line {number}"
                raise ModelFileError(path, "`symbol id` in each line", found) from error
            by_id[token_id] = fields[0] if len(fields) > 1 else " "
        if sorted(by_id) != list(range(len(by_id))) or not by_id:
            raise ModelFileError(path, "ids 0 to n - 1, each once", f"{len(by_id)} other ids")
        return cls([by_id[token_id] for token_id in range(len(by_id))])

    def __len__(self) -> int:
        return len(self.pieces)

    def id_of(self, piece: str) -> int | None:
        """Find a piece's id."""
        return self._ids.get(piece)

    def decode(self, token_ids: Sequence[int]) -> str:
        """Turn token ids into text, bytes of an unfinished character left out."""
        pieces = [self.pieces[token_id] for token_id in token_ids]
        if self._byte_bpe:
            text = byte_bpe.decode(pieces)
        else:
            text = _join(piece for piece in pieces if not _is_control(piece))
        return _UNSPOKEN_SPACE.sub("", text.replace(WORD_START, " ")).lstrip(" ")

    def starts_word(self, token_id: int) -> bool:
        """Tell whether a token begins a new word (a CJK character is a word of its own)."""
        piece = self.pieces[token_id]
        return piece.startswith((WORD_START, " ")) or bool(re.match(_CJK, piece))


def _is_control(piece: str) -> bool:
    return bool(_SPECIAL.fullmatch(piece)) and not _BYTE.fullmatch(piece)


def _join(pieces: Iterable[str]) -> str:
    """Concatenate, gathering runs of `<0xNN>` pieces into UTF-8 characters."""
    out: list[str] = []
    run = bytearray()
    for piece in pieces:
        match = _BYTE.fullmatch(piece)
        if match:
            run.append(int(match[1], 16))
            continue
        out.append(_characters(run))
        run.clear()
        out.append(piece)
    out.append(_characters(run))
    return "".join(out)


def _characters(run: bytes | bytearray) -> str:
    return bytes(run).decode("utf-8", errors="ignore")
