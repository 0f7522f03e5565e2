"""What happens on a connection outside of any request."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import pytest
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from tests.support.http_door import ANYWHERE, connected, open_door, rest_of, say, serving
from wyoming_stt.front.http.options import HttpOptions

GET = b"GET /health HTTP/1.1\r\nHost: x\r\n"
END = b"\r\n"
UPGRADE = (
    b"Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
IMPATIENT = HttpOptions(uri=ANYWHERE, header_timeout_s=0.1, keep_alive_s=60)


@pytest.mark.parametrize("beginning", [b"", b"GET", GET, GET + b"X: y", GET + b"X: y\r\n", b"\r\n"])
async def test_who_does_not_finish_a_head_is_cut(beginning: bytes) -> None:
    async with open_door(IMPATIENT) as door:
        assert await say(door.url, beginning) == b""


async def test_who_finishes_it_a_byte_at_a_time_is_cut_too() -> None:
    async with open_door(IMPATIENT) as door, connected(door.url) as (reader, writer):
        with contextlib.suppress(ConnectionError):
            for byte in GET + b"X: " + b"y" * 1_000:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.01)
        assert await rest_of(reader) == b""


async def test_between_two_requests_there_is_time() -> None:
    async with open_door(IMPATIENT) as door, connected(door.url) as (reader, writer):
        for _ in range(3):
            writer.write(GET + END)
            assert b" 200 " in await reader.readline()
            await reader.readuntil(b"}")
            await asyncio.sleep(0.15)


async def test_a_line_end_after_a_request_does_not_hold_the_connection() -> None:
    async with open_door(IMPATIENT) as door, connected(door.url) as (reader, writer):
        writer.write(GET + END)
        await reader.readuntil(b"}")
        writer.write(b"\r\n")
        await rest_of(reader)


async def test_the_rest_of_a_body_that_nobody_wants_does_not_hold_it_either() -> None:
    options = HttpOptions(uri=ANYWHERE, header_timeout_s=0.1, keep_alive_s=60, max_body_bytes=10)
    async with open_door(options) as door, connected(door.url) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
        assert b" 413 " in await reader.readline()
        writer.write(b"x")
        await rest_of(reader)


@pytest.mark.parametrize("head", [GET + b"X: " + b"y" * 2_000, b"GET /" + b"y" * 2_000])
async def test_a_head_that_is_too_large_is_refused(head: bytes) -> None:
    async with open_door(HttpOptions(uri=ANYWHERE, max_header_bytes=1_000)) as door:
        answer = await say(door.url, head)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"X-Request-Id: " in answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "invalid_request"


@pytest.mark.parametrize(
    "noise",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"HELLO\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_what_is_not_http_gets_an_answer_and_no_traceback(
    noise: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_door(IMPATIENT) as door:
        answer = await say(door.url, noise)
        assert answer.split()[1] in {b"400", b"404"}
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("path", [b"/v1/ws\xff", b"/v1/ws%ff", b"/nowhere", b"/v1/ws?\xff"])
async def test_a_websocket_to_nowhere_gets_an_answer_or_is_cut(
    path: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_door(IMPATIENT) as door:
        answer = await say(door.url, b"GET " + path + b" HTTP/1.1\r\n" + UPGRADE)
    assert answer == b"" or answer.split()[1] in {b"400", b"404"}
    assert "Traceback" not in caplog.text
    assert not [record for record in caplog.records if record.exc_info]


async def test_one_connection_too_many_is_cut() -> None:
    async with open_door(HttpOptions(uri=ANYWHERE, max_connections=2)) as door:
        async with connected(door.url) as (first, to_first), connected(door.url) as (second, _):
            to_first.write(GET + END)
            assert b" 200 " in await first.readline()
            assert await say(door.url, GET + END) == b""
            del second
        async with connected(door.url) as (reader, writer):
            writer.write(GET + END)
            assert b" 200 " in await reader.readline()


async def test_who_does_not_read_is_cut() -> None:
    gone = asyncio.Event()

    async def zeros() -> AsyncIterator[bytes]:
        try:
            while True:
                await asyncio.sleep(0)
                yield bytes(65_536)
        finally:
            gone.set()

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        await StreamingResponse(zeros())(scope, receive, send)

    options = HttpOptions(uri=ANYWHERE, write_timeout_s=0.1)
    async with serving(endless, options) as server, connected(server.addresses[0]) as (_, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await gone.wait()


async def test_who_reads_slowly_gets_all_of_it() -> None:
    body = bytes(8 << 20)

    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(body)(scope, receive, send)

    options = HttpOptions(uri=ANYWHERE, write_timeout_s=0.3)
    async with (
        serving(large, options) as server,
        connected(server.addresses[0]) as (reader, writer),
    ):
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        num_read = 0
        while data := await reader.read(1 << 18):
            num_read += len(data)
            await asyncio.sleep(0.05)
    assert num_read > len(body)


async def test_who_pings_without_reading_the_answers_is_cut() -> None:
    options = HttpOptions(uri=ANYWHERE, write_timeout_s=0.1)
    ping = b"\x89\xfd" + bytes(4) + bytes(125)  # masked, as clients must; the largest there is
    async with open_door(options) as door, connected(door.url) as (reader, writer):
        writer.write(b"GET /v1/ws HTTP/1.1\r\n" + UPGRADE)
        assert b" 101 " in await reader.readline()
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(ping * 1_000)
                await writer.drain()
