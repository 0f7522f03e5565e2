# ruff: noqa: RUF001 - letters of other scripts are what is tested
import contextlib
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wyoming_stt.errors import ModelFileError
from wyoming_stt.text.tokens import TokenTable

SPECIAL = ("<blk>", "<sos/eos>", "<unk>", "#0")
BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))


def read(folder: Path, contents: str | bytes) -> TokenTable:
    path = folder / "tokens.txt"
    path.write_bytes(contents.encode() if isinstance(contents, str) else contents)
    return TokenTable.read(path)


def text_of(*pieces: str) -> str:
    return TokenTable(pieces).decode(range(len(pieces)))


@pytest.mark.parametrize(
    ("contents", "pieces"),
    [
        ("<blk> 0\n▁a 1\nb 2\n", ("<blk>", "▁a", "b")),
        ("b 2\n<blk> 0\n▁a 1", ("<blk>", "▁a", "b")),
        ("<blk> 0\r\n▁a 1\r\n\r\n", ("<blk>", "▁a")),
        ("<blk>\t0\n▁a   1  \n", ("<blk>", "▁a")),
        ("<blk> 0\n  1\n2\n", ("<blk>", " ", " ")),
        (
            "a 0\n\u3000 1\n\u00a0 2\n\u2028 3\n\u0085 4\n",
            ("a", "\u3000", "\u00a0", "\u2028", "\u0085"),
        ),
        ("1 0\n0 1\n", ("1", "0")),
    ],
    ids=["plain", "any order", "windows", "tabs", "space only", "unicode spaces", "digits"],
)
def test_a_list_is_read(tmp_path: Path, contents: str, pieces: tuple[str, ...]) -> None:
    table = read(tmp_path, contents)
    assert table.pieces == pieces
    assert len(table) == len(pieces)


@pytest.mark.parametrize(
    ("contents", "expected", "found"),
    [
        ("", "ids 0 to n - 1", "no id 0"),
        ("\n  \n", "ids 0 to n - 1", "no id 0"),
        ("a 1\nb 2\n", "ids 0 to n - 1", "no id 0"),
        ("a 0\nb 2\nc 3\n", "ids 0 to n - 1", "no id 1"),
        ("a 0\nb 1\nc 1\n", "each id once", "1 again in line 3"),
        ("a 0\nb\n", "`symbol id` in UTF-8", "'b' in line 2"),
        ("a 0\nb -1\n", "`symbol id` in UTF-8", "'b -1' in line 2"),
        ("a 0\nb 1_0\n", "`symbol id` in UTF-8", "'b 1_0' in line 2"),
        ("a 0\nb ١\n", "`symbol id` in UTF-8", "'b ١' in line 2"),
        ("a 0\nb c 1\n", "`symbol id` in UTF-8", "'b c 1' in line 2"),
        (b"a 0\n\xff 1\n", "`symbol id` in UTF-8", "'\ufffd 1' in line 2"),
        ("a " + "9" * 9_999, "`symbol id` in UTF-8", f"'a {'9' * 78}' in line 1"),
    ],
)
def test_a_bad_list_is_named(
    tmp_path: Path, contents: str | bytes, expected: str, found: str
) -> None:
    with pytest.raises(ModelFileError) as caught:
        read(tmp_path, contents)
    path = tmp_path / "tokens.txt"
    assert caught.value.path == path
    assert str(caught.value) == f"{path}: expected {expected}, found {found}"


def test_a_list_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="found nothing readable"):
        TokenTable.read(tmp_path / "tokens.txt")
    with pytest.raises(ModelFileError, match="found nothing readable"):
        TokenTable.read(tmp_path)


@settings(max_examples=50)
@given(st.binary(max_size=200))
def test_any_file_is_a_list_or_a_named_error(
    tmp_path_factory: pytest.TempPathFactory, contents: bytes
) -> None:
    folder = tmp_path_factory.getbasetemp()
    with contextlib.suppress(ModelFileError):
        assert len(read(folder, contents)) > 0


def test_ids_of_pieces() -> None:
    table = TokenTable(("<blk>", "▁a", "b", "b"))
    assert [table.id_of(piece) for piece in ("<blk>", "▁a", "b", "c")] == [0, 1, 2, None]


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ((), ""),
        (("▁turn", "▁on"), "turn on"),
        (("▁kit", "chen"), "kitchen"),
        (("kit", "chen"), "kitchen"),
        (("▁", "the", "▁", "▁lamp"), "the  lamp"),
        ((" ", "a", " ", "b"), "a b"),
        (("▁a", "<unk>", "b", "<blk>", "#0"), "ab"),
        (("▁a", "<>", "< b>", "<c"), "a<>< b><c"),
        (("▁a", "▁,", "▁b", "▁.", "▁?", "▁'"), "a, b.?'"),
        (("▁,", "▁a"), ", a"),
        (("▁今", "▁天", "▁好"), "今天好"),
        (("▁天", "▁ok", "▁好"), "天 ok 好"),
        (("▁天", "▁。", "▁好"), "天。好"),
        (("▁か", "▁カ", "▁ｶ"), "かカｶ"),
        (("▁안녕", "▁하세요"), "안녕 하세요"),
    ],
)
def test_pieces_become_text(pieces: tuple[str, ...], text: str) -> None:
    assert text_of(*pieces) == text


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (("▁caf", "<0xC3>", "<0xA9>", "▁x"), "café x"),
        (("<0xe4>", "<0xB8>", "<0xAD>"), "中"),
        (("<0xF0>", "<0x9F>", "<0x98>", "<0x80>"), "😀"),
        (("a", "<0x20>", "b"), "a b"),
        (("▁a", "<0xC3>"), "a"),
        (("▁a", "<0xC3>", "▁b"), "a b"),
        (("<0xE4>", "<unk>", "<0xB8>", "<0xAD>"), "中"),
        (("a", "<0xFF>", "<0xA9>", "b"), "ab"),
        (("a", "<0xGG>"), "a"),
    ],
)
def test_byte_pieces_become_characters(pieces: tuple[str, ...], text: str) -> None:
    assert text_of(*pieces) == text


def test_byte_pieces_are_text() -> None:
    table = TokenTable((*SPECIAL, "<0x41>", "a"))
    assert [table.is_control(i) for i in range(6)] == [True, True, True, True, False, False]


def test_byte_bpe_is_told_from_the_pieces() -> None:
    pieces = ("<blk>", "▁caf", "ũ", "ŏ")  # the last two are the bytes of é
    greatest = "Ʀ"  # the byte 0xFF, in every such vocabulary
    assert TokenTable(pieces).decode([1, 2, 3]) == "cafũŏ"
    assert TokenTable((*pieces, greatest)).decode([0, 1, 2, 3]) == "café"


@pytest.mark.parametrize(
    ("piece", "starts"),
    [
        ("▁the", True),
        ("▁", True),
        (" ", True),
        ("ing", False),
        ("中", True),
        ("カ", True),
        ("。", False),
        ("，", False),
        (",", False),
        ("하", False),
        ("<0xE4>", False),
        ("<unk>", False),
        ("", False),
    ],
)
def test_where_words_start(piece: str, starts: bool) -> None:
    assert TokenTable((piece,)).starts_word(0) is starts


CHARACTERS = "▁ ab,.'。，中天カ하é\u3000\n"
PIECES = st.one_of(
    st.text(CHARACTERS, max_size=4),
    st.sampled_from(SPECIAL),
    st.sampled_from(BYTES),
    st.sampled_from(["<0xE4>", "<0xB8>", "<0xAD>", "<0xC3>", "<0xA9>", "<0x20>", "<0x2C>"]),
)


@given(st.lists(PIECES, max_size=12))
def test_what_was_said_first_is_never_taken_back(pieces: Sequence[str]) -> None:
    """What a client was sent of a committed text is a prefix of all that follows."""
    table = TokenTable(pieces)
    whole = table.decode(range(len(pieces)))
    for length in range(len(pieces)):
        assert whole.startswith(table.decode(range(length)).rstrip())


@given(st.lists(st.tuples(st.booleans(), st.text(" ab,ƋŞœŠš", max_size=3)), max_size=12))
def test_nor_is_it_with_byte_bpe(marked: Sequence[tuple[bool, str]]) -> None:
    pieces = ["▁" * starts + rest for starts, rest in marked]
    table = TokenTable((*pieces, "Ʀ"))
    whole = table.decode(range(len(pieces)))
    for length in range(len(pieces)):
        assert whole.startswith(table.decode(range(length)).rstrip())
