# ruff: noqa: RUF001 - letters of other scripts are what is tested
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_stt.text import byte_bpe

KNOWN = {
    0x00: "Ā", 0x1F: "ğ", 0x20: " ", 0x41: "A", 0x7E: "~", 0x7F: "Ġ", 0x80: "ġ", 0x90: "ı",
    0x91: "Ĵ", 0x9B: "ľ", 0x9C: "Ł", 0xA3: "ň", 0xA4: "Ŋ", 0xD8: "ž", 0xD9: "ƀ", 0xFF: "Ʀ",
}  # fmt: skip
"""Bytes and their characters in icefall, at both sides of every gap of the table."""

ENCODED = {
    "turn on": "turn on",
    "é": "ũŏ",
    "中国": "ƋŞœƌľţ",
    "打开灯": "ƍĪĶƌŢġƎĢŕ",
    "😀": "ƗńĻġ",
}


def test_known_bytes() -> None:
    table = {byte: character for character, byte in byte_bpe._BYTES.items() if character != "⁇"}
    assert table.items() >= KNOWN.items()
    assert sorted(table) == list(range(256))


@pytest.mark.parametrize(("text", "encoded"), ENCODED.items())
def test_text_comes_back(text: str, encoded: str) -> None:
    assert byte_bpe.decode([encoded]) == text
    assert byte_bpe.decode(list(encoded)) == text


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ([], ""),
        (["▁turn", "▁on"], "turn on"),
        (["▁", "▁turn"], "turn"),
        (["a ", "▁b"], "a b"),
        (["▁ƋŞœ", "▁ok", "▁ƋŞœ"], "中ok 中"),
        (["a", "⁇", "b"], "a b"),
        (["a", "中", "b"], "ab"),
        (["a", "ƋŞ"], "a"),
        (["ƋŞ", "a"], "a"),
        (["Ʀ", "a"], "a"),
    ],
)
def test_pieces_become_text(pieces: list[str], text: str) -> None:
    assert byte_bpe.decode(pieces) == text


@given(st.text())
def test_any_text_comes_back(text: str) -> None:
    characters = {byte: c for c, byte in byte_bpe._BYTES.items() if c != "⁇"}
    assert byte_bpe.decode([characters[byte] for byte in text.encode()]) == text


@pytest.mark.parametrize(
    ("pieces", "is_byte_bpe"),
    [
        ((), False),
        (("",), False),
        (("<blk>", "▁the", "ing"), False),
        (("<blk>", "▁the", "Ʀ"), True),
        (("▁Ʀ",), True),
        (("Ʀ", "中"), False),
        (("Ʀ", "▁▁"), False),
        (("Ʀ", "⁇"), False),
        (("é", "ő"), False),
    ],
)
def test_it_is_told_by_the_greatest_byte(pieces: tuple[str, ...], is_byte_bpe: bool) -> None:
    assert byte_bpe.is_byte_bpe(pieces) is is_byte_bpe
