"""The end of the server, as its clients see it."""

import asyncio

from wyoming.info import Describe

from tests.support.wyoming_door import (
    START,
    STOP,
    WORD_S,
    Door,
    chunks,
    error_codes,
    loud,
    open_door,
    receive,
    send,
)
from wyoming_stt.front.wyoming import WyomingOptions


async def begin(client) -> None:
    """Talk until the server is seen to listen."""
    await send(client, START, *chunks(loud(2 * WORD_S)))
    while (event := await client.read_event()) and event.type != "transcript-chunk":
        pass


async def greet(client) -> None:
    await send(client, Describe().event())
    await client.read_event()


async def is_open(door: Door) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", door.port)
    except ConnectionError:
        return False
    writer.close()
    return True


async def stopping(door: Door) -> asyncio.Task[None]:
    """Begin to stop; return once nobody gets in."""
    task = asyncio.create_task(door.server.stop())
    while await is_open(door):
        pass
    return task


async def test_open_utterance_gets_its_words_and_idle_clients_the_end() -> None:
    options = WyomingOptions("tcp://127.0.0.1:0", drain_s=60, linger_s=0.05)
    async with open_door(options) as door, door.client() as talking, door.client() as idle:
        await begin(talking)
        await greet(idle)
        stop = await stopping(door)
        assert await idle.read_event() is None
        assert not stop.done()
        await send(talking, *chunks(loud(WORD_S)), STOP)
        answers = await receive(talking)
        assert answers[-2].data["text"] == "turn on the"
        assert await talking.read_event() is None
        await talking.disconnect()
        await stop


async def test_utterance_that_does_not_end_in_time_is_told_why() -> None:
    options = WyomingOptions("tcp://127.0.0.1:0", drain_s=0.05, linger_s=0.05)
    async with open_door(options) as door, door.client() as client:
        await begin(client)
        stop = await stopping(door)
        assert error_codes(await receive(client)) == ["shutting-down"]
        await stop


async def test_client_that_stays_is_left() -> None:
    options = WyomingOptions("tcp://127.0.0.1:0", linger_s=0.05)
    async with open_door(options) as door, door.client() as client:
        await greet(client)
        await door.server.stop()
        assert await client.read_event() is None


async def test_stop_when_nobody_ever_came() -> None:
    async with open_door():
        pass
