import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from wyoming.event import async_read_event

from tests.support.wyoming_door import PROMISED, load_fake
from wyoming_stt.engine import Engine, EngineOptions, ModelSource, UtteranceOptions
from wyoming_stt.errors import BadRequestError
from wyoming_stt.front.wyoming.connection import Connection
from wyoming_stt.front.wyoming.conversation import Conversation
from wyoming_stt.front.wyoming.options import WyomingOptions
from wyoming_stt.observability.observer import Nobody

OPTIONS = WyomingOptions(linger_s=0.01)


@dataclass
class Link:
    """A connection and its client's end."""

    connection: Connection
    writer: asyncio.StreamWriter
    """The server's."""
    client: asyncio.StreamReader


@pytest.fixture
async def link() -> AsyncIterator[Link]:
    near, far = socket.socketpair()
    client, client_writer = await asyncio.open_connection(sock=near)
    reader, writer = await asyncio.open_connection(sock=far)
    talk = Conversation(OPTIONS, UtteranceOptions(), lambda: PROMISED)
    engine = Engine(ModelSource("fake", load_fake), EngineOptions(workers=1))
    yield Link(Connection(reader, writer, talk, engine, OPTIONS, observer=Nobody()), writer, client)
    await engine.close()
    for end in (client_writer, writer):
        end.close()
        await end.wait_closed()


async def test_failure_is_told_before_the_end(link: Link) -> None:
    await link.connection.close(BadRequestError("too bad"))
    event = await async_read_event(link.client)
    assert event is not None
    assert event.data == {"text": "too bad", "code": "bad-request"}
    assert await link.client.read() == b""


async def test_failure_that_nobody_waits_for(link: Link) -> None:
    link.writer.transport.abort()
    for _ in range(3):
        await asyncio.sleep(0)  # asyncio notes the loss a little later
    await link.connection.close(BadRequestError("too bad"))


async def test_drain_before_the_client_has_said_anything(link: Link) -> None:
    link.connection.drain(0.0)
    assert await link.connection.converse() is None
