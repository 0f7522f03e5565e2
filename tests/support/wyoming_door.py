"""A running Wyoming door on the scripted model, and what its clients say."""

import asyncio
import contextlib
import math
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient, AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event

from wyoming_stt.audio.gate import VadOptions
from wyoming_stt.engine import Engine, EngineOptions, ModelSource, UtteranceOptions
from wyoming_stt.front.served import ServedModel
from wyoming_stt.front.wyoming import WyomingOptions, WyomingServer, serve
from wyoming_stt.models.base import Recognizer
from wyoming_stt.models.registry import load_model
from wyoming_stt.ort import OrtOptions

PROMISED = ServedModel("fake", ("en",))
FORMAT = {"rate": 16_000, "width": 2, "channels": 1}
START = AudioStart(**FORMAT).event()
STOP = AudioStop().event()
WORD_S = 0.32
"""Loud audio that makes the scripted model say one more word."""

_PERIOD = b"".join(
    struct.pack("<h", round(8000 * math.sin(2 * math.pi * n / 40))) for n in range(40)
)


def loud(seconds: float) -> bytes:
    """A 400 Hz tone, 16 kHz, 16 bits, mono."""
    return (_PERIOD * math.ceil(seconds * 400))[: 2 * round(seconds * 16_000)]


def quiet(seconds: float) -> bytes:
    return bytes(2 * round(seconds * 16_000))


def chunks(pcm: bytes, size: int = 2048) -> list[Event]:
    return [
        AudioChunk(**FORMAT, audio=pcm[at : at + size]).event() for at in range(0, len(pcm), size)
    ]


def utterance(pcm: bytes, wishes: Transcribe | None = None) -> list[Event]:
    """What Home Assistant sends."""
    return [(wishes or Transcribe(language="en")).event(), START, *chunks(pcm), STOP]


def load_fake() -> Recognizer:
    return load_model("fake", languages=("en",), options=OrtOptions())


@dataclass
class Door:
    server: WyomingServer
    engine: Engine

    @property
    def port(self) -> int:
        port = urlsplit(self.server.addresses[0]).port
        assert port is not None
        return port

    def client(self) -> AsyncTcpClient:
        """The stock client; a read that takes longer than this never ends."""
        return AsyncTcpClient("127.0.0.1", self.port, read_timeout=20)

    async def say(self, *events: Event) -> list[Event]:
        """Say all that on a connection of its own; return everything the server answers."""
        async with self.client() as client:
            return await converse(client, *events)

    async def text_of(self, pcm: bytes) -> str:
        answers = await self.say(*utterance(pcm))
        (transcript,) = (Transcript.from_event(e) for e in answers if Transcript.is_type(e.type))
        return transcript.text


@contextlib.asynccontextmanager
async def open_door(
    options: WyomingOptions | None = None,
    engine_options: EngineOptions | None = None,
    load: Callable[[], Recognizer] = load_fake,
    *,
    ready: bool = True,
) -> AsyncIterator[Door]:
    engine = Engine(ModelSource("fake", load), engine_options or EngineOptions(workers=1))
    await engine.start()
    try:
        if ready:
            await engine.ready()
        async with serve(
            engine,
            options or WyomingOptions(uri="tcp://127.0.0.1:0"),
            defaults=UtteranceOptions(vad=VadOptions(kind="energy")),
            promised=PROMISED,
        ) as server:
            yield Door(server, engine)
    finally:
        await engine.close()


async def send(client: AsyncClient, *events: Event) -> None:
    for event in events:
        await client.write_event(event)


async def receive(client: AsyncClient) -> list[Event]:
    """Read until the server has ended the utterance, or the connection."""
    answers: list[Event] = []
    while (event := await client.read_event()) is not None:
        answers.append(event)
        if event.type == "transcript-stop":
            break
    return answers


async def converse(client: AsyncClient, *events: Event) -> list[Event]:
    async with asyncio.TaskGroup() as tasks:
        answers = tasks.create_task(receive(client))
        # Refused before all is said: the answer tells why.
        with contextlib.suppress(ConnectionError):
            await send(client, *events)
    return answers.result()


def error_codes(answers: list[Event]) -> list[str | None]:
    return [Error.from_event(event).code for event in answers if Error.is_type(event.type)]
