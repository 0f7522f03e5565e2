"""Clients of a Wyoming server on this machine: a satellite, and someone who asks what it is."""

import asyncio
import io
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event, Eventable, async_read_event, write_event
from wyoming.info import Describe, Info

from bench.support import pieces

__all__ = ["Answer", "Spoken", "describe", "speak"]

CHUNK_S = 0.01
"""What Home Assistant's pipelines send at a time."""
ANSWER_TIMEOUT_S = 60.0
_LAYOUT = {"rate": 16_000, "width": 2, "channels": 1}


@dataclass(frozen=True, slots=True)
class Spoken:
    """What came back for one utterance."""

    text: str
    latency_s: float
    """From the last audio sent to the transcript."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How long someone waits who connects and asks, in seconds."""

    connected_s: float
    answered_s: float
    """From the question; the connection stood by then."""

    @property
    def waited_s(self) -> float:
        """From wanting to connect to the answer."""
        return self.connected_s + self.answered_s


async def describe(port: int) -> Answer:
    """Connect anew and ask `describe`."""
    wanted = time.perf_counter()
    async with _connection(port) as (reader, writer):
        asked = time.perf_counter()
        writer.write(_bytes(Describe()))
        await _expect(reader, Info)
        return Answer(asked - wanted, time.perf_counter() - asked)


async def speak(port: int, pcm: bytes, *, paced: bool = True) -> Spoken:
    """Say one utterance as Home Assistant would, at the pace of speech or as fast as possible."""
    # Written out beforehand: this process shares the cores with the server it measures.
    chunks = [_bytes(AudioChunk(audio=piece, **_LAYOUT)) for piece in pieces(pcm, CHUNK_S)]
    async with _connection(port) as (reader, writer):
        writer.write(_bytes(Transcribe(language="en")) + _bytes(AudioStart(**_LAYOUT)))
        due = time.perf_counter()
        for chunk in chunks:
            due += CHUNK_S
            if paced:
                await asyncio.sleep(due - time.perf_counter())
            writer.write(chunk)
            await writer.drain()
        ended = time.perf_counter()
        writer.write(_bytes(AudioStop()))
        event = await _expect(reader, Transcript)
        return Spoken(Transcript.from_event(event).text.strip(), time.perf_counter() - ended)


@asynccontextmanager
async def _connection(
    port: int,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def _expect(reader: asyncio.StreamReader, kind: type[Eventable]) -> Event:
    async with asyncio.timeout(ANSWER_TIMEOUT_S):
        while (event := await async_read_event(reader)) is not None:
            if kind.is_type(event.type):
                return event
            if event.type == "error":
                raise RuntimeError(f"the server refuses: {event.data}")
    raise ConnectionResetError("the server hung up")


def _bytes(message: Eventable) -> bytes:
    buffer = io.BytesIO()
    write_event(message.event(), buffer)
    return buffer.getvalue()
