"""What every door owes: the same words as the engine, and places given back.

A later door adds itself to `DOORS` and passes all of this.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import pytest
from wyoming.client import AsyncTcpClient

from tests.support import wyoming_door
from tests.support.wyoming_door import START, WORD_S, chunks, load_fake, loud, quiet, send
from wyoming_stt.audio.gate import VadOptions
from wyoming_stt.engine import Engine, EngineOptions, ModelSource, UtteranceOptions
from wyoming_stt.events import FinalTranscript

ONE_AT_A_TIME = EngineOptions(workers=1, max_utterances=1, max_waiting=8)
PCM = quiet(0.7) + loud(4 * WORD_S) + quiet(0.9) + loud(1 * WORD_S) + quiet(0.3)
"""16 kHz, 16 bits, mono."""


class DoorUnderTest(Protocol):
    async def text_of(self, pcm: bytes) -> str:
        """Have it transcribed, as a client of this door does."""
        ...

    def begin(self, pcm: bytes) -> AbstractAsyncContextManager[None]:
        """Send that much of an utterance until words come; leave in its middle."""
        ...


class WyomingDoor:
    def __init__(self, door: wyoming_door.Door) -> None:
        self._door = door

    async def text_of(self, pcm: bytes) -> str:
        return await self._door.text_of(pcm)

    @asynccontextmanager
    async def begin(self, pcm: bytes) -> AsyncIterator[None]:
        async with self._door.client() as client:
            await send(client, START, *chunks(pcm))
            await self._until_words(client)
            yield

    async def _until_words(self, client: AsyncTcpClient) -> None:
        while (event := await client.read_event()) and event.type != "transcript-chunk":
            pass


@asynccontextmanager
async def open_wyoming() -> AsyncIterator[DoorUnderTest]:
    async with wyoming_door.open_door(engine_options=ONE_AT_A_TIME) as door:
        yield WyomingDoor(door)


OpenDoor = Callable[[], AbstractAsyncContextManager[DoorUnderTest]]
DOORS: dict[str, OpenDoor] = {"wyoming": open_wyoming}


@pytest.fixture(params=DOORS)
def open_door(request: pytest.FixtureRequest) -> OpenDoor:
    return DOORS[request.param]


async def engine_text(pcm: bytes) -> str:
    """What the engine says when no door is in between."""
    engine = Engine(ModelSource("fake", load_fake), ONE_AT_A_TIME)
    await engine.start()
    try:
        async with engine.open(UtteranceOptions(vad=VadOptions(kind="energy"))) as lease:
            await lease.accept(pcm)
            (*_, final) = await lease.finish()
    finally:
        await engine.close()
    assert isinstance(final, FinalTranscript)
    return final.text


async def test_same_words_as_the_engine(open_door: OpenDoor) -> None:
    expected = await engine_text(PCM)
    assert expected
    async with open_door() as door:
        assert await door.text_of(PCM) == expected


async def test_silence_has_no_words(open_door: OpenDoor) -> None:
    async with open_door() as door:
        assert await door.text_of(quiet(1)) == ""


async def test_disconnect_frees_the_lease(open_door: OpenDoor) -> None:
    async with open_door() as door:
        async with door.begin(loud(2 * WORD_S)):
            pass
        assert await door.text_of(loud(WORD_S)) == "turn"


async def test_one_place_serves_many_in_turn(open_door: OpenDoor) -> None:
    async with open_door() as door:
        texts = await asyncio.gather(*(door.text_of(loud(n * WORD_S)) for n in (1, 2, 3)))
    assert texts == ["turn", "turn on", "turn on the"]
