"""What a client does wrong, or too much of: an `error` with its code, then the end."""

import asyncio
import contextlib
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from wyoming.asr import Transcribe
from wyoming.audio import AudioStart
from wyoming.client import AsyncTcpClient
from wyoming.event import Event, async_read_event
from wyoming.info import Describe, SelectProgram

from tests.support.wyoming_door import (
    START,
    STOP,
    WORD_S,
    Door,
    chunks,
    converse,
    error_codes,
    loud,
    open_door,
    receive,
    send,
    utterance,
)
from wyoming_stt.decoding.hypothesis import Hypothesis
from wyoming_stt.decoding.options import SearchOptions
from wyoming_stt.engine import EngineOptions
from wyoming_stt.errors import ModelFileError
from wyoming_stt.front.wyoming import WyomingOptions
from wyoming_stt.models.base import Recognizer
from wyoming_stt.models.families.fake import FakeRecognizer, FakeStream
from wyoming_stt.types import Samples

SMALL = WyomingOptions(
    "tcp://127.0.0.1:0",
    max_header_bytes=4096,
    max_data_bytes=4096,
    max_payload_bytes=100_000,
    max_names=10,
    max_name_chars=20,
)


def line(**header: Any) -> bytes:
    return json.dumps(header).encode() + b"\n"


async def tell(door: Door, stream: bytes) -> list[Event]:
    """Send bytes and no more; return all answers up to the end of the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(stream)
    writer.write_eof()
    answers = []
    while (event := await async_read_event(reader)) is not None:
        answers.append(event)
    assert reader.at_eof()
    writer.close()
    await writer.wait_closed()
    return answers


@pytest.fixture
def quiet_log(caplog: pytest.LogCaptureFixture) -> Any:
    """Nobody is to find a traceback in the log for what a client did."""
    caplog.set_level(logging.DEBUG)
    yield caplog
    assert [r for r in caplog.records if r.exc_info or r.levelno > logging.WARNING] == []


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "bad-request"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "bad-request"),
        (b"[1, 2]\n", "bad-request"),
        (b"[" * 4000 + b"\n", "bad-request"),
        (line(version="1"), "bad-request"),
        (line(type=7), "bad-request"),
        (line(type="describe", payload_length="7"), "bad-request"),
        (line(type="describe", data_length=2) + b"[]", "bad-request"),
        (line(type="audio-chunk", payload_length=99_999_999_999), "limit-exceeded"),
        (line(type="transcribe", data_length=4097) + b" " * 4097, "limit-exceeded"),
        (b"{" + b" " * 70_000 + b"}\n", "limit-exceeded"),
        (b"x" * 70_000, "limit-exceeded"),
        (line(type="audio-chunk", payload_length=100) + b"half", "bad-request"),
    ],
)
@pytest.mark.usefixtures("quiet_log")
async def test_bytes_that_are_no_event(stream: bytes, code: str) -> None:
    async with open_door(SMALL) as door:
        assert error_codes(await tell(door, stream)) == [code]
        assert await door.text_of(loud(WORD_S)) == "turn"


CHUNK = chunks(b"\1\2")[0]


@pytest.mark.parametrize(
    ("events", "code"),
    [
        ([CHUNK], "bad-request"),
        ([STOP], "bad-request"),
        ([START, START], "bad-request"),
        ([Event("audio-start", {"rate": 16_000, "width": 2})], "bad-request"),
        ([Event("audio-start", {"rate": "16000", "width": 2, "channels": 1})], "bad-request"),
        ([START, Event("audio-chunk", {"width": 2, "channels": 1}, b"12")], "bad-request"),
        ([AudioStart(rate=16_000, width=7, channels=1).event()], "unsupported-audio"),
        ([AudioStart(rate=192_000, width=2, channels=1).event()], "unsupported-audio"),
        ([Transcribe(name="another").event()], "unknown-model"),
        ([Transcribe(language="xx").event()], "unsupported-language"),
        ([SelectProgram("another").event()], "bad-request"),
        ([Transcribe(transcript_names=["a"] * 11).event()], "limit-exceeded"),
        ([Transcribe(transcript_terms=["a" * 21]).event()], "limit-exceeded"),
        ([Event("transcribe", {"transcript_names": "kitchen"})], "bad-request"),
        ([Event("transcribe", {"context": {"a": "\ud800"}})], "bad-request"),
    ],
)
@pytest.mark.usefixtures("quiet_log")
async def test_events_that_are_not_served(events: list[Event], code: str) -> None:
    stream = b"".join(
        line(type=e.type, data=e.data, payload_length=len(e.payload or b"")) + (e.payload or b"")
        for e in events
    )
    async with open_door(SMALL) as door:
        assert error_codes(await tell(door, stream)) == [code]
        assert await door.text_of(loud(WORD_S)) == "turn"


@pytest.mark.usefixtures("quiet_log")
async def test_error_arrives_although_the_client_still_sends() -> None:
    async with open_door(SMALL) as door:
        flood = chunks(loud(60), 3200)
        assert error_codes(await door.say(START, START, *flood)) == ["bad-request"]


async def test_utterance_longer_than_the_limit() -> None:
    async with open_door(engine_options=EngineOptions(workers=1, max_utterance_s=2)) as door:
        answers = await door.say(*utterance(loud(3)))
        assert error_codes(answers) == ["limit-exceeded"]
        assert "transcript" not in {event.type for event in answers}
        assert await door.text_of(loud(WORD_S)) == "turn"


async def test_one_client_more_than_there_are_places() -> None:
    options = WyomingOptions("tcp://127.0.0.1:0", max_connections=2)
    async with open_door(options) as door:
        async with door.client() as first, door.client() as second:
            for client in (first, second):
                await send(client, Describe().event())
                await client.read_event()
            assert error_codes(await door.say(Describe().event())) == ["server-busy"]
            await send(first, *utterance(loud(WORD_S)))
            assert "transcript" in {event.type for event in await receive(first)}
        while error_codes(answers := await door.say(*utterance(loud(WORD_S)))):
            pass  # The server has yet to notice that they left.
        assert "transcript" in {event.type for event in answers}


async def test_crowd_at_the_door_is_bounded_too() -> None:
    options = WyomingOptions("tcp://127.0.0.1:0", max_connections=1, linger_s=60)
    async with open_door(options) as door, door.client() as served, door.client() as refused:
        await send(served, Describe().event())
        await served.read_event()
        refusal = await refused.read_event()
        assert refusal is not None
        assert error_codes([refusal]) == ["server-busy"]
        async with door.client() as dropped:
            assert await is_cut_off(dropped)


async def is_cut_off(client: AsyncTcpClient) -> bool:
    try:
        return await client.read_event() is None
    except ConnectionError:
        return True


async def test_one_utterance_more_than_the_engine_takes() -> None:
    options = EngineOptions(workers=1, max_utterances=1, max_waiting=0)
    async with open_door(engine_options=options) as door, door.client() as client:
        await send(client, START, *chunks(loud(2 * WORD_S)))
        while (event := await client.read_event()) and event.type != "transcript-chunk":
            pass
        assert error_codes(await door.say(*utterance(loud(WORD_S)))) == ["server-busy"]
        await send(client, STOP)
        assert "transcript" in {event.type for event in await receive(client)}
        assert await door.text_of(loud(WORD_S)) == "turn"


async def test_place_of_a_client_that_left_is_free_again() -> None:
    options = EngineOptions(workers=1, max_utterances=1, max_waiting=4)
    async with open_door(engine_options=options) as door:
        async with door.client() as client:
            await send(client, START, *chunks(loud(2 * WORD_S)))
            while (event := await client.read_event()) and event.type != "transcript-chunk":
                pass
        assert await door.text_of(loud(WORD_S)) == "turn"


@pytest.mark.parametrize("said", [[], [Describe().event()], [START, *chunks(loud(WORD_S))]])
async def test_client_that_says_nothing_more(said: list[Event]) -> None:
    options = WyomingOptions("tcp://127.0.0.1:0", idle_timeout_s=0.05)
    async with open_door(options) as door:
        answers = await door.say(*said)
    assert error_codes(answers) == ["limit-exceeded"]


async def test_event_that_never_ends() -> None:
    options = WyomingOptions("tcp://127.0.0.1:0", event_timeout_s=0.05)
    async with open_door(options) as door:
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
        writer.write(line(type="describe", data_length=2) + b"{")
        event = await async_read_event(reader)
        assert event is not None
        assert error_codes([event]) == ["limit-exceeded"]
        writer.close()
        await writer.wait_closed()


async def test_client_that_asks_and_never_reads() -> None:
    options = WyomingOptions("tcp://127.0.0.1:0", write_timeout_s=0.05)
    async with open_door(options) as door:
        _, writer = await asyncio.open_connection("127.0.0.1", door.port)
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(line(type="ping", data={"text": "?" * 60_000}))
                await writer.drain()
        writer.close()
        assert await door.text_of(loud(WORD_S)) == "turn"


class BrokenStream(FakeStream):
    def push(self, samples: Samples) -> Hypothesis:
        raise RuntimeError(f"cannot take {samples.shape}")


class BrokenRecognizer(FakeRecognizer):
    """Breaks down on hotwords."""

    def open(self, options: SearchOptions) -> FakeStream:
        return BrokenStream() if options.hotwords else FakeStream()


async def test_failure_of_the_model_is_an_error_and_no_transcript() -> None:
    wishes = Transcribe(transcript_names=["Anna"])
    async with open_door(load=BrokenRecognizer) as door:
        answers = await door.say(*utterance(loud(2 * WORD_S), wishes))
        assert error_codes(answers) == ["inference-failed"]
        assert "transcript" not in {event.type for event in answers}
        assert await door.text_of(loud(WORD_S)) == "turn"


def load_nothing() -> Recognizer:
    raise ModelFileError(Path("encoder.onnx"), "a model", "nothing")


async def test_model_that_cannot_be_loaded() -> None:
    async with open_door(load=load_nothing, ready=False) as door, door.client() as client:
        await send(client, Describe().event())
        assert (await client.read_event()).type == "info"
        assert error_codes(await converse(client, *utterance(loud(1)))) == ["model-damaged"]
