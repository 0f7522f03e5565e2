"""Unpacking method 1 of Rob Northen's ProPack, in which games of the nineties keep their files.

A packed file is a header of 18 bytes, then blocks of three Huffman tables and, in turn, runs of
literal bytes and copies of what came before. Bits are read from little-endian words of 16, lowest
first, and literal bytes lie between those words. The format is described by the unpackers of
Simon Tatham (`dernc.c`) and of ScummVM.
"""

from __future__ import annotations

__all__ = ["MAGIC", "unpack"]

MAGIC = b"RNC\x01"
HEADER_BYTES = 18
WORD_BITS = 16


def unpack(packed: bytes) -> bytes:
    """The bytes that were packed.

    Raises:
        ValueError: These bytes are not packed by method 1, or damaged.
    """
    if packed[:4] != MAGIC:
        raise ValueError("not packed by ProPack's method 1")
    size = int.from_bytes(packed[4:8], "big")
    bits, out = _Bits(packed, HEADER_BYTES), bytearray()
    bits.read(2)
    try:
        while len(out) < size:
            literals, distances, lengths = (_Table(bits) for _ in range(3))
            for left in range(bits.read(WORD_BITS) - 1, -1, -1):
                out += bits.literal(literals.read(bits))
                if left:
                    distance = distances.read(bits) + 1
                    _copy(out, distance, lengths.read(bits) + 2)
    except (LookupError, OverflowError) as error:
        raise ValueError("damaged ProPack data") from error
    if len(out) != size:
        raise ValueError("damaged ProPack data")
    return bytes(out)


class _Bits:
    """Bits of words, and the literal bytes between them."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at
        self._bits, self._count = self._word(), WORD_BITS

    def peek(self, mask: int) -> int:
        return self._bits & mask

    def read(self, count: int) -> int:
        value = self._bits & ((1 << count) - 1)
        self._bits >>= count
        self._count -= count
        if self._count < WORD_BITS:
            self._at += 2
            self._bits |= self._word() << self._count
            self._count += WORD_BITS
        return value

    def literal(self, length: int) -> bytes:
        """Bytes from where the word begins that was read ahead; it is read anew behind them."""
        if not length:
            return b""
        taken = self._data[self._at : self._at + length]
        if len(taken) < length:
            raise IndexError(length)
        self._at += length
        self._count -= WORD_BITS
        self._bits &= (1 << self._count) - 1
        self._bits |= self._word() << self._count
        self._count += WORD_BITS
        return taken

    def _word(self) -> int:
        if self._at > len(self._data) + WORD_BITS:  # what is read ahead may lie behind the end
            raise IndexError(self._at)
        return int.from_bytes(self._data[self._at : self._at + 2], "little")


class _Table:
    """A canonical Huffman code; symbol n stands for numbers of n bits."""

    def __init__(self, bits: _Bits) -> None:
        lengths = [bits.read(4) for _ in range(bits.read(5))]
        self._symbols: dict[tuple[int, int], int] = {}
        self._longest, code = max(lengths, default=0), 0
        for length in range(1, self._longest + 1):
            for symbol in (n for n, its in enumerate(lengths) if its == length):
                mirrored = int(f"{code:0{length}b}"[::-1], 2)
                self._symbols[length, mirrored] = symbol
                code += 1
            code <<= 1

    def read(self, bits: _Bits) -> int:
        for length in range(1, self._longest + 1):
            symbol = self._symbols.get((length, bits.peek((1 << length) - 1)))
            if symbol is not None:
                bits.read(length)
                return symbol if symbol < 2 else 1 << (symbol - 1) | bits.read(symbol - 1)
        raise LookupError(self._longest)


def _copy(out: bytearray, distance: int, length: int) -> None:
    if distance > len(out):
        raise LookupError(distance)
    for _ in range(length):
        out.append(out[-distance])
