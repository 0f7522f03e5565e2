import asyncio

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from tests.support.http_door import ANYWHERE, connected, rest_of, serving
from wyoming_stt.front.http.options import HttpOptions

GET = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"


class Slow:
    """Answers when it is let go."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.let_go = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/slow":
            self.begun.set()
            await self.let_go.wait()
        await PlainTextResponse("done")(scope, receive, send)


@pytest.fixture
def slow() -> Slow:
    return Slow()


async def test_what_is_open_may_end_while_nothing_new_begins(slow: Slow) -> None:
    options = HttpOptions(uri=ANYWHERE, drain_s=60)
    async with serving(slow, options) as server, httpx.AsyncClient() as client:
        url = server.addresses[0]
        opened = asyncio.create_task(client.get(f"{url}/slow"))
        await slow.begun.wait()
        stopping = asyncio.create_task(server.stop())
        await asyncio.sleep(0)
        refused = await client.get(f"{url}/other")
        assert (refused.status_code, refused.json()["code"]) == (503, "shutting_down")
        assert "Retry-After" not in refused.headers
        assert (await client.get(f"{url}/health")).status_code == 200
        slow.let_go.set()
        assert (await opened).text == "done"
        await stopping
        with pytest.raises(httpx.ConnectError):
            await client.get(f"{url}/health")


async def test_what_does_not_end_in_time_is_told_why(slow: Slow) -> None:
    options = HttpOptions(uri=ANYWHERE, drain_s=1)
    async with serving(slow, options) as server, connected(server.addresses[0]) as (reader, writer):
        writer.write(GET)
        await slow.begun.wait()
        stopping = asyncio.create_task(server.stop())
        answer = await rest_of(reader)
        assert b" 503 " in answer
        assert b'"shutting_down"' in answer
        await stopping


async def test_idle_connections_do_not_hold_the_end_up(slow: Slow) -> None:
    options = HttpOptions(uri=ANYWHERE, drain_s=60)
    async with serving(slow, options) as server, httpx.AsyncClient() as client:
        await client.get(server.addresses[0])
        async with connected(server.addresses[0]) as (reader, _):
            await server.stop()
            assert await rest_of(reader) == b""


async def test_stopping_twice_is_stopping_once(slow: Slow) -> None:
    async with serving(slow, HttpOptions(uri=ANYWHERE)) as server:
        await server.stop()
        await server.stop()
