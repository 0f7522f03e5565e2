"""The vocabulary of a model: `tokens.txt`, and the way from token ids back to text."""

import itertools
import re
from collections.abc import Sequence
from pathlib import Path

from wyoming_stt.errors import ModelFileError
from wyoming_stt.text import byte_bpe

__all__ = ["WORD_START", "TokenTable"]

WORD_START = "▁"
"""U+2581, sentencepiece's mark for the space before a word."""

_MAX_SHOWN = 80
"""Bytes of a bad line in an error; the file may be anything."""
_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_CONTROL = re.compile(r"<[^<>\s]+>|#\d+")
# Without Hangul, which sherpa-onnx counts in: Korean is written with spaces between its words.
_CJK = r"[\u2e80-\u312f\u3190-\ua4cf\uf900-\ufaff\ufe30-\ufe4f\uff65-\uff9f\U00020000-\U0002ffff]"
_PUNCTUATION = r"[!-/:-@\[-`{-~\u3000-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]"
# As sherpa-onnx: no space between two CJK characters, and none before punctuation.
_UNSPOKEN_SPACE = re.compile(rf"(?<={_CJK}) (?={_CJK})|(?<=.) (?={_PUNCTUATION})")
_WORD = re.compile(rf"[{WORD_START} ]|(?!{_PUNCTUATION}){_CJK}")


class TokenTable:
    """Pieces by id. Immutable."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self.pieces = tuple(pieces)
        # Where a piece is there twice, models use the first.
        self._ids = {piece: i for i, piece in reversed(list(enumerate(self.pieces)))}
        self._byte_bpe = byte_bpe.is_byte_bpe(self.pieces)
        self._spoken = ["" if self.is_control(i) else piece for i, piece in enumerate(self.pieces)]
        self._utf8 = [_utf8(piece) for piece in self._spoken]

    @classmethod
    def read(cls, path: Path) -> "TokenTable":
        """Read `symbol id` lines; a line that holds only an id means the space.

        Raises:
            ModelFileError: the file is missing, no UTF-8, or its ids are not 0 to n - 1, each once.
        """
        try:
            lines = path.read_bytes().split(b"\n")
        except OSError as error:
            found = f"nothing readable ({error.strerror})"
            raise ModelFileError(path, "a list of tokens", found) from error
        by_id: dict[int, str] = {}
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                token_id, piece = _entry(line)
            except ValueError as error:
                shown = line[:_MAX_SHOWN].decode("utf-8", errors="replace")
                found = f"{shown!r} in line {number}"
                raise ModelFileError(path, "`symbol id` in UTF-8", found) from error
            if token_id in by_id:
                raise ModelFileError(path, "each id once", f"{token_id} again in line {number}")
            by_id[token_id] = piece
        missing = next(token_id for token_id in itertools.count() if token_id not in by_id)
        if missing < len(by_id) or not by_id:
            raise ModelFileError(path, "ids 0 to n - 1", f"no id {missing}")
        return cls([by_id[token_id] for token_id in range(len(by_id))])

    def __len__(self) -> int:
        return len(self.pieces)

    def id_of(self, piece: str) -> int | None:
        """Find a piece's id."""
        return self._ids.get(piece)

    def decode(self, token_ids: Sequence[int]) -> str:
        """Turn token ids into text, bytes of an unfinished character left out."""
        if self._byte_bpe:
            text = byte_bpe.decode([self._spoken[token_id] for token_id in token_ids])
        else:
            utf8 = b"".join([self._utf8[token_id] for token_id in token_ids])
            text = utf8.decode("utf-8", errors="ignore")
        return _UNSPOKEN_SPACE.sub("", text.replace(WORD_START, " ")).lstrip(" ")

    def is_control(self, token_id: int) -> bool:
        """Tell whether a token, as `<blk>` or `<unk>`, stands for no text."""
        piece = self.pieces[token_id]
        return bool(_CONTROL.fullmatch(piece)) and not _BYTE.fullmatch(piece)

    def starts_word(self, token_id: int) -> bool:
        """Tell whether a token begins a new word (a CJK character is a word of its own)."""
        return bool(_WORD.match(self.pieces[token_id]))


def _entry(line: bytes) -> tuple[int, str]:
    """Split at ASCII white space only, as bytes do: U+3000 and its like are symbols."""
    *symbol, token_id = line.split()
    if len(symbol) > 1 or not token_id.isdigit():
        raise ValueError("not `symbol id`")
    return int(token_id), symbol[0].decode("utf-8") if symbol else " "


def _utf8(piece: str) -> bytes:
    """Return what a piece writes: `<0xNN>` one byte of a character, any other its own letters."""
    match = _BYTE.fullmatch(piece)
    return bytes([int(match[1], 16)]) if match else piece.encode("utf-8")
