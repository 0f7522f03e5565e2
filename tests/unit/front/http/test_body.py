import asyncio
import os
import random
from pathlib import Path

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from tests.support.engines import Stuck
from wyoming_stt.front.http.body import MEMORY_BYTES, READ_BYTES, Body, not_empty, unless
from wyoming_stt.front.http.errors import ErrorCode, HttpError

GONE: Message = {"type": "http.disconnect"}


class Client:
    """What a client sends, when the test says so."""

    def __init__(self) -> None:
        self._messages: asyncio.Queue[Message | Exception] = asyncio.Queue()

    @property
    def request(self) -> Request:
        return Request({"type": "http", "method": "POST", "headers": []}, self._receive)

    def sends(self, data: bytes, *, is_last: bool = False) -> None:
        self._messages.put_nowait({"type": "http.request", "body": data, "more_body": not is_last})

    def leaves(self) -> None:
        self._messages.put_nowait(GONE)

    def is_refused(self, error: HttpError) -> None:
        """As the middleware does it in the middle of a body."""
        self._messages.put_nowait(error)

    async def _receive(self) -> Message:
        message = await self._messages.get()
        if isinstance(message, Exception):
            raise message
        return message


@pytest.fixture
def client() -> Client:
    return Client()


async def whole(body: Body) -> bytes:
    return b"".join([piece async for piece in body])


@pytest.mark.parametrize("size", [0, 1, MEMORY_BYTES, MEMORY_BYTES + 1, 5 * MEMORY_BYTES + 7])
async def test_it_can_be_read_again_and_again(client: Client, size: int) -> None:
    data = random.Random(size).randbytes(size)
    async with Body(client.request) as body:
        for start in range(0, size, 100_000):
            client.sends(data[start : start + 100_000])
        client.sends(b"", is_last=True)
        assert await whole(body) == await whole(body) == data


async def test_two_may_read_while_it_arrives(client: Client) -> None:
    data = random.Random(0).randbytes(3 * MEMORY_BYTES)
    async with Body(client.request) as body, asyncio.TaskGroup() as tasks:
        readers = [tasks.create_task(whole(body)) for _ in range(2)]
        for start in range(0, len(data), 50_000):
            client.sends(data[start : start + 50_000])
            await asyncio.sleep(0)
        client.sends(b"", is_last=True)
    assert [reader.result() for reader in readers] == [data, data]


@pytest.mark.parametrize("is_last", [False, True])
async def test_who_has_left_is_noticed_before_the_rest_is_read(
    client: Client, is_last: bool
) -> None:
    async with Body(client.request) as body:
        pieces = aiter(body)
        client.sends(bytes(3 * READ_BYTES), is_last=is_last)
        await anext(pieces)
        client.leaves()
        assert await body.receive() == GONE
        with pytest.raises(ClientDisconnect):
            await anext(pieces)


async def test_work_for_who_has_left_is_given_up(client: Client) -> None:
    cancelled = asyncio.Event()

    async def work() -> str:
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()
        return "done"

    async with Body(client.request) as body:
        client.sends(b"x", is_last=True)
        client.leaves()
        with pytest.raises(ClientDisconnect):
            await body.while_present(work())
        assert cancelled.is_set()


async def test_work_is_done_for_who_stays(client: Client) -> None:
    async with Body(client.request) as body:
        client.sends(b"x", is_last=True)
        assert await body.while_present(whole(body)) == b"x"


async def test_a_refusal_reaches_whoever_waits(client: Client) -> None:
    async with Body(client.request) as body:
        client.sends(b"x")
        client.is_refused(HttpError(ErrorCode.PAYLOAD_TOO_LARGE))
        with pytest.raises(HttpError):
            await whole(body)
        with pytest.raises(HttpError):
            await body.while_present(asyncio.Event().wait())


async def test_nothing_stays(client: Client) -> None:
    tasks = asyncio.all_tasks()
    async with Body(client.request):
        client.sends(bytes(2 * MEMORY_BYTES))
    assert asyncio.all_tasks() == tasks


async def test_an_empty_one(client: Client) -> None:
    async with Body(client.request) as body:
        client.sends(b"", is_last=True)
        with pytest.raises(HttpError) as raised:
            _ = [piece async for piece in not_empty(aiter(body))]
        assert raised.value.code is ErrorCode.EMPTY_BODY


async def test_what_fails_first_is_told() -> None:
    async def fail() -> str:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await unless(asyncio.get_running_loop().create_future(), fail())


async def test_a_write_that_is_late_does_not_go_into_another_file(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stuck, pwrite = Stuck(), os.pwrite

    def late(descriptor: int, data: bytes, position: int) -> int:
        stuck()
        return pwrite(descriptor, data, position)

    monkeypatch.setattr(os, "pwrite", late)

    async def begin() -> None:
        async with Body(client.request):
            client.sends(bytes(MEMORY_BYTES + 1))
            await stuck.has_started()

    beginning = asyncio.create_task(begin())
    await stuck.has_started()
    await asyncio.wait([beginning], timeout=0.05)  # it ends, or waits for the thread to end
    others = [(tmp_path / str(number)).open("wb", buffering=0) for number in range(3)]
    stuck.let_go.set()
    await beginning
    await asyncio.get_running_loop().shutdown_default_executor()
    for other in others:
        assert not os.fstat(other.fileno()).st_size
        other.close()
