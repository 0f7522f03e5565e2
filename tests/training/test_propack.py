import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.propack import unpack

Step = tuple[bytes, int, int]
"""Literal bytes; how far back and how many bytes are then copied (not behind the last ones)."""
SYMBOLS = 16
"""Of each table, all with codes of four bits."""


class Packer:
    """Writes what the unpacker reads: bits in words, literal bytes where a word is read ahead."""

    def __init__(self) -> None:
        self._layout: list[int | bytes] = [0]
        self._words, self._count, self._bits = 1, 16, ""

    def bits(self, value: int, count: int) -> None:
        self._bits += f"{value:0{count}b}"[::-1] if count else ""
        self._count -= count
        if self._count < 16:
            self._layout.append(self._words)
            self._words += 1
            self._count += 16

    def number(self, value: int) -> None:
        symbol = value.bit_length()
        self.bits(int(f"{symbol:04b}"[::-1], 2), 4)
        if symbol > 1:
            self.bits(value - (1 << symbol - 1), symbol - 1)

    def literal(self, data: bytes) -> None:
        self.number(len(data))
        if data:
            self._layout[-1:] = [data, self._layout[-1]]

    def packed(self) -> bytes:
        padded = self._bits.ljust(16 * self._words, "0")
        return b"".join(
            item
            if isinstance(item, bytes)
            else int(padded[16 * item : 16 * item + 16][::-1], 2).to_bytes(2, "little")
            for item in self._layout
        )


def pack(blocks: list[list[Step]]) -> tuple[bytes, bytes]:
    """The packed file, and what it holds."""
    packer, out = Packer(), bytearray()
    packer.bits(0, 2)
    for block in blocks:
        for _ in range(3):
            packer.bits(SYMBOLS, 5)
            for _ in range(SYMBOLS):
                packer.bits(4, 4)
        packer.bits(len(block), 16)
        for number, (data, distance, length) in enumerate(block):
            packer.literal(data)
            out += data
            if number < len(block) - 1:
                back = 1 + distance % max(1, len(out))
                packer.number(back - 1)
                packer.number(length)
                for _ in range(length + 2):
                    out.append(out[-back])
    size = len(out).to_bytes(4, "big")
    return b"RNC\x01" + size + bytes(10) + packer.packed(), bytes(out)


steps = st.tuples(st.binary(min_size=1, max_size=40), st.integers(0, 60), st.integers(0, 40))


@given(st.lists(st.lists(steps, min_size=1, max_size=6), min_size=1, max_size=3))
def test_what_was_packed_comes_out(blocks: list[list[Step]]) -> None:
    packed, data = pack(blocks)
    assert unpack(packed) == data


@given(
    st.lists(st.lists(steps, min_size=1, max_size=6), min_size=1, max_size=2),
    st.integers(18, 400),
    st.integers(1, 255),
)
def test_damage_is_an_error_or_other_bytes(blocks: list[list[Step]], at: int, flip: int) -> None:
    damaged = bytearray(pack(blocks)[0])
    damaged[at % len(damaged)] ^= flip
    try:
        unpack(bytes(damaged))
    except ValueError as error:
        assert "ProPack" in str(error)  # noqa: PT017 - other bytes are fine, too


def test_another_file_is_named() -> None:
    with pytest.raises(ValueError, match="not packed"):
        unpack(b"RIFF" + bytes(40))


def test_a_cut_file_is_named() -> None:
    packed, _ = pack([[(b"a long enough run of letters", 0, 0)]])
    with pytest.raises(ValueError, match="damaged"):
        unpack(packed[:30])
