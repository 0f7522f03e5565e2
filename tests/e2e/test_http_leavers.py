"""Clients that go away, and one that does not read: the work for them ends, and nothing stays."""

import asyncio
import socket
import struct
import threading

import pytest

from tests.support.http_door import connected, open_door, rest_of
from tests.support.recognizers import ScriptedRecognizer, ScriptedStream
from tests.support.uploads import (
    ROUTES,
    Held,
    address,
    hold,
    nothing_left,
    options,
    post,
    until,
    wav,
)
from wyoming_stt.decoding.hypothesis import EMPTY, Hypothesis
from wyoming_stt.engine import EngineOptions


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("leave", ["close", "reset", "half"])
async def test_one_that_leaves_stops_the_work(path: str, leave: str) -> None:
    """The server has all it needs to go on for long."""
    slow = ScriptedRecognizer(push=lambda _: _pause())
    body = wav(60)
    async with open_door(load=lambda: slow) as door, nothing_left(door):
        reader, writer = await asyncio.open_connection(*address(door.url))
        writer.write(post(path, len(body)) + body)
        await writer.drain()
        await until(lambda: any(stream.num_samples for stream in slow.streams[1:]))
        if leave == "half":
            writer.write_eof()
            assert b"\r\n\r\n" not in await rest_of(reader) or path.endswith("stream")
        if leave == "reset":
            client = writer.get_extra_info("socket")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.close()
    assert max(stream.num_samples for stream in slow.streams) < 30 * 16_000


@pytest.mark.parametrize("path", ROUTES)
async def test_one_that_leaves_behind_a_body_that_nobody_reads(path: str, held: Held) -> None:
    """The model is stuck, and far more is sent than any buffer between the two holds."""
    body = wav(600)
    async with open_door(load=lambda: held) as door, nothing_left(door):
        held.may_go_on.clear()
        _, writer = await asyncio.open_connection(*address(door.url))
        writer.write(post(path, len(body)) + body)
        await hold(held)
        await writer.drain()
        writer.transport.abort()
        await until(lambda: b'outcome="left"' in door.metrics.render())


@pytest.mark.parametrize("sent", [0, 20, 44, 1_000, 50_000])
@pytest.mark.parametrize("path", ROUTES)
async def test_one_that_leaves_in_the_middle_of_its_body(path: str, sent: int) -> None:
    async with open_door() as door:
        async with nothing_left(door):
            for _ in range(10):
                async with connected(door.url) as (_, writer):
                    writer.write(post(path, 60_000) + wav()[:sent])
                    await writer.drain()
        assert "internal" not in [error.code for error in door.metrics.last_errors]


async def test_one_that_leaves_while_it_waits_for_a_place(held: Held) -> None:
    engine = EngineOptions(workers=1, max_utterances=1)
    async with open_door(engine_options=engine, load=lambda: held) as door:
        held.may_go_on.clear()
        async with connected(door.url) as (_, first):
            first.write(post(ROUTES[0], len(wav())) + wav())
            await hold(held)
            async with nothing_left(door), connected(door.url) as (_, second):
                second.write(post(ROUTES[0], len(wav())) + wav())
                await second.drain()
                await asyncio.sleep(0.05)
            held.may_go_on.set()


async def test_one_that_does_not_read() -> None:
    body = wav(60)
    talk = ScriptedRecognizer(push=_talk)
    async with open_door(options(write_timeout_s=0.2), load=lambda: talk) as door:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, address(door.url))
        async with nothing_left(door):
            await loop.sock_sendall(client, post(ROUTES[1], len(body)) + body)
            await until(lambda: b'outcome="left"' in door.metrics.render())
        client.close()


def _talk(stream: ScriptedStream) -> Hypothesis:
    """Say so much that no buffer takes it, and every time a bit more."""
    num = 200_000 + len(stream.sizes)
    return Hypothesis((3,) * num, (0,) * num, (-0.1,) * num)


def _pause() -> Hypothesis:
    threading.Event().wait(0.05)
    return EMPTY
