"""The middleware around an application that reads, waits or fails as the test wants."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from tests.support.http_door import ANYWHERE, connected, rest_of, serving
from wyoming_stt.front.http.errors import HttpError
from wyoming_stt.front.http.middleware.body import BodyLimits
from wyoming_stt.front.http.middleware.request_id import HEADER, RequestId, choose_request_id
from wyoming_stt.front.http.middleware.token import BearerToken
from wyoming_stt.front.http.options import HttpOptions
from wyoming_stt.observability.request_id import REQUEST_ID

POST = b"POST / HTTP/1.1\r\nHost: x\r\n"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await PlainTextResponse(f"{len(body)} bytes")(scope, receive, send)


async def name(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(REQUEST_ID.get())(scope, receive, send)


async def pieces(*sizes: int) -> AsyncIterator[bytes]:
    for size in sizes:
        yield bytes(size)


def client_of(app: object) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here")


@pytest.mark.parametrize("wanted", ["abc", "with spaces", "x" * 128, "a/b?c=d&e"])
async def test_a_client_may_name_its_request(wanted: str) -> None:
    async with client_of(RequestId(name)) as client:
        answer = await client.get("/", headers={HEADER: wanted})
    assert (answer.headers[HEADER], answer.text) == (wanted, wanted)
    assert REQUEST_ID.get() is None


@pytest.mark.parametrize("wanted", [None, "", "x" * 129, "caf\xe9", "a\x1b[31m", "a\tb", "a\nb"])
def test_a_name_that_would_harm_the_log_is_replaced(wanted: str | None) -> None:
    chosen = choose_request_id(wanted)
    assert chosen != wanted
    assert len(chosen) == 36


async def test_requests_without_a_name_get_different_ones() -> None:
    async with client_of(RequestId(name)) as client:
        names = {(await client.get("/")).headers[HEADER] for _ in range(3)}
    assert len(names) == 3


@pytest.mark.parametrize(
    ("authorization", "allowed"),
    [
        ("Bearer correct-horse", True),
        ("bearer  correct-horse ", True),
        ("Bearer correct-hors", False),
        ("Bearer correct-horsex", False),
        ("Bearer caf\xe9", False),
        ("Basic correct-horse", False),
        ("correct-horse", False),
        ("Bearer", False),
        ("", False),
    ],
)
async def test_the_token_opens(authorization: str, *, allowed: bool) -> None:
    async with client_of(BearerToken(echo, "correct-horse")) as client:
        request = client.get("/", headers={"Authorization": authorization.encode("latin-1")})
        if allowed:
            assert (await request).status_code == 200
        else:
            with pytest.raises(HttpError) as caught:
                await request
            assert caught.value.code == "unauthorized"


async def test_health_checks_need_no_token_and_a_query_is_none() -> None:
    async with client_of(BearerToken(echo, "correct-horse")) as client:
        for path in ("/health", "/ready"):
            assert (await client.get(path)).status_code == 200
        for path in ("/health/", "/Health", "/?access_token=correct-horse"):
            with pytest.raises(HttpError):
                await client.get(path)


@pytest.mark.parametrize(
    "query", [b"access_token=correct-horse", b"a=b&access_token=correct%2Dhorse"]
)
async def test_a_websocket_may_bring_the_token_in_its_address(query: bytes) -> None:
    called = asyncio.Event()

    async def app(*_: object) -> None:
        called.set()

    scope = {"type": "websocket", "path": "/v1/ws", "headers": [], "query_string": query}
    await BearerToken(app, "correct-horse")(scope, None, None)
    assert called.is_set()
    with pytest.raises(HttpError):
        await BearerToken(app, "other")(scope, None, None)


@pytest.mark.parametrize("sizes", [(1_000,), (1,) * 1_000, (600, 400), ()])
async def test_a_body_up_to_the_limit_passes(sizes: tuple[int, ...]) -> None:
    async with client_of(BodyLimits(echo, HttpOptions(max_body_bytes=1_000))) as client:
        answer = await client.post("/", content=pieces(*sizes))
    assert answer.text == f"{sum(sizes)} bytes"


async def test_a_larger_body_is_refused_before_it_comes_or_as_soon_as_it_is() -> None:
    options = HttpOptions(uri=ANYWHERE, max_body_bytes=1_000, min_body_rate=1)
    async with serving(echo, options) as server, connected(server.addresses[0]) as (reader, writer):
        writer.write(POST + b"Content-Length: 1001\r\nConnection: close\r\n\r\n")
        assert b" 413 " in (head := await rest_of(reader))
        assert b'"payload_too_large"' in head
    async with serving(echo, options) as server, connected(server.addresses[0]) as (reader, writer):
        writer.write(POST + b"Transfer-Encoding: chunked\r\n\r\n3e9\r\n" + bytes(1_001))
        assert b" 413 " in await reader.readline()


@pytest.mark.parametrize("length", ["-1", "1e9", "0x10", "9" * 30, "1, 2"])
async def test_a_length_that_is_none_is_refused(length: str) -> None:
    options = HttpOptions(uri=ANYWHERE)
    async with serving(echo, options) as server, connected(server.addresses[0]) as (reader, writer):
        writer.write(POST + f"Content-Length: {length}\r\n\r\n".encode())
        assert (await reader.readline()).split()[1] in {b"400", b"413"}


async def test_a_body_that_stops_coming_ends_the_request() -> None:
    options = HttpOptions(uri=ANYWHERE, body_timeout_s=0.05)
    async with serving(echo, options) as server, connected(server.addresses[0]) as (reader, writer):
        writer.write(POST + b"Content-Length: 100\r\n\r\nbeginning")
        assert b" 408 " in await reader.readline()
        assert b'"request_timeout"' in await reader.read(1_000)


async def test_a_body_that_drips_ends_the_request() -> None:
    options = HttpOptions(uri=ANYWHERE, body_timeout_s=0.1, min_body_rate=1_000_000)

    async def drip(writer: asyncio.StreamWriter) -> None:
        while True:  # each drop would be in time, were it not for those before it
            writer.write(b"1\r\nx\r\n")
            await asyncio.sleep(0.01)

    async with serving(echo, options) as server, connected(server.addresses[0]) as (reader, writer):
        writer.write(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        dripping = asyncio.create_task(drip(writer))
        assert b" 408 " in await reader.readline()
        dripping.cancel()


async def test_a_body_may_take_the_time_that_its_size_is_worth() -> None:
    options = HttpOptions(uri=ANYWHERE, body_timeout_s=0.05, min_body_rate=1)
    async with serving(echo, options) as server, connected(server.addresses[0]) as (reader, writer):
        writer.write(POST + b"Content-Length: 1001\r\n\r\n" + bytes(1_000))
        await asyncio.sleep(0.2)
        writer.write(b"x")
        assert b" 200 " in await reader.readline()


async def test_time_that_the_server_takes_is_not_the_clients() -> None:
    options = HttpOptions(uri=ANYWHERE, body_timeout_s=0.05)

    async def busy(scope: Scope, receive: Receive, send: Send) -> None:
        async for _ in Request(scope, receive).stream():
            await asyncio.sleep(0.1)
        await PlainTextResponse("done")(scope, receive, send)

    async with serving(busy, options) as server, connected(server.addresses[0]) as (reader, writer):
        writer.write(POST + b"Content-Length: 200000\r\n\r\n" + bytes(200_000))
        assert b" 200 " in await reader.readline()


async def test_a_failure_of_ours_is_an_answer_without_its_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("the reason")

    options = HttpOptions(uri=ANYWHERE)
    async with serving(broken, options) as server, httpx.AsyncClient() as client:
        answer = await client.get(server.addresses[0])
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "reason" not in answer.text
    assert "the reason" in caplog.text


async def test_a_failure_in_the_middle_of_an_answer_cuts_it() -> None:
    async def broken(*connection: Any) -> None:
        *_, send = connection
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError

    options = HttpOptions(uri=ANYWHERE)
    async with serving(broken, options) as server, httpx.AsyncClient() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(server.addresses[0])
