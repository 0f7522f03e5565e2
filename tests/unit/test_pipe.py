import asyncio
from collections.abc import AsyncIterator

import pytest

from wyoming_stt.pipe import CHUNK_BYTES, MAX_CHUNKS, BytePipe


async def body(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def read_all(pipe: BytePipe, size: int) -> bytes:
    return b"".join(iter(lambda: pipe.read(size), b""))


@pytest.mark.parametrize("size", [1, 7, 100_000])
async def test_what_goes_in_comes_out(size: int) -> None:
    pipe = BytePipe(asyncio.get_running_loop())
    reader = asyncio.create_task(asyncio.to_thread(read_all, pipe, size))
    await pipe.fill(body(b"", b"one ", b"", b"two " * 300, b"three"))
    assert await reader == b"one " + b"two " * 300 + b"three"


async def test_a_peek_leaves_what_it_saw() -> None:
    pipe = BytePipe(asyncio.get_running_loop())
    await pipe.fill(body(b"abc", b"def", b"gh"))
    assert pipe.peek(5) == b"abcde"
    assert pipe.peek(5) == b"abcde"
    assert pipe.peek(50) == b"abcdefgh"
    assert read_all(pipe, 3) == b"abcdefgh"


async def test_a_body_waits_for_its_reader() -> None:
    pipe = BytePipe(asyncio.get_running_loop())
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            yield bytes(CHUNK_BYTES)
            taken += 1

    writer = asyncio.create_task(pipe.fill(endless()))
    for _ in range(3 * MAX_CHUNKS):
        await asyncio.sleep(0)
    assert taken == MAX_CHUNKS
    await asyncio.to_thread(pipe.read, CHUNK_BYTES)
    for _ in range(3):
        await asyncio.sleep(0)
    assert taken == MAX_CHUNKS + 1
    writer.cancel()


async def test_abort_wakes_a_reader() -> None:
    pipe = BytePipe(asyncio.get_running_loop())
    reader = asyncio.create_task(asyncio.to_thread(pipe.read))
    await asyncio.sleep(0)
    pipe.abort()
    assert await reader == b""
    assert pipe.read() == b""


async def test_of_a_body_that_breaks_off_the_rest_is_not_read() -> None:
    async def broken() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield bytes(CHUNK_BYTES)
        raise ConnectionResetError

    pipe = BytePipe(asyncio.get_running_loop())
    with pytest.raises(ConnectionResetError):
        await pipe.fill(broken())
    assert pipe.read() == b""
