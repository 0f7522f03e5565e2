"""People's recordings through the door, on the real model, with the stock client."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from urllib.parse import urlsplit

import numpy as np
import pytest
import soundfile
from wyoming.asr import Transcribe, Transcript, TranscriptChunk
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.event import Event

from tests.support import program
from tests.support.shared import MODEL, Recording, needs_shared, recordings
from wyoming_stt.engine import Engine, EngineOptions, ModelSource, UtteranceOptions
from wyoming_stt.front.served import ServedModel
from wyoming_stt.front.wyoming import WyomingOptions, serve
from wyoming_stt.models.registry import load_model

pytestmark = [pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(900), needs_shared]

FORMAT = {"rate": 16_000, "width": 2, "channels": 1}
CHUNK = 2 * 1600
"""100 ms."""


@contextlib.asynccontextmanager
async def people_door() -> AsyncIterator[int]:
    """Serve the real model as `serve` does by default; yields the port."""
    engine = Engine(
        ModelSource("teacher", lambda: load_model(MODEL, languages=["en"])), EngineOptions()
    )
    await engine.start()
    await engine.ready()
    try:
        async with serve(
            engine,
            WyomingOptions(uri="tcp://127.0.0.1:0"),
            defaults=UtteranceOptions(),
            promised=ServedModel(MODEL.name, ("en",)),
        ) as server:
            port = urlsplit(server.addresses[0]).port
            assert port is not None
            yield port
    finally:
        await engine.close()


def pcm_of(recording: Recording) -> bytes:
    samples, rate = soundfile.read(recording.path, dtype="int16")
    assert rate == FORMAT["rate"]
    pcm: bytes = np.ascontiguousarray(samples).tobytes()
    return pcm


async def hear(client: AsyncTcpClient, pcm: bytes) -> AsyncIterator[Event]:
    """Send audio at once, and `audio-stop` only when the server has said all it can before it."""
    for start in range(0, len(pcm), CHUNK):
        await client.write_event(AudioChunk(**FORMAT, audio=pcm[start : start + CHUNK]).event())
    with contextlib.suppress(TimeoutError):
        while event := await asyncio.wait_for(client.read_event(), 1.0):
            yield event


async def transcript(port: int, pcm: bytes, names: Sequence[str] = ()) -> str:
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await client.write_event(Transcribe(language="en", transcript_names=list(names)).event())
        await client.write_event(AudioStart(**FORMAT).event())
        await client.write_event(AudioChunk(**FORMAT, audio=pcm).event())
        await client.write_event(AudioStop().event())
        while event := await client.read_event():
            if Transcript.is_type(event.type):
                return Transcript.from_event(event).text
    raise AssertionError("the connection closed without a transcript")


async def test_words_come_before_audio_stop_and_agree_with_transcribe() -> None:
    people = recordings("librispeech-other-a")[:4]
    said = program.run(
        "transcribe", "--model-dir", MODEL, "--format", "json", *(r.path for r in people)
    )
    expected = [json.loads(line)["text"] for line in said.stdout.splitlines()]
    async with people_door() as port:
        for recording, text in zip(people, expected, strict=True):
            async with AsyncTcpClient("127.0.0.1", port) as client:
                await client.write_event(Transcribe(language="en").event())
                await client.write_event(AudioStart(**FORMAT).event())
                before = [event async for event in hear(client, pcm_of(recording))]
                pieces = [
                    TranscriptChunk.from_event(event).text
                    for event in before
                    if TranscriptChunk.is_type(event.type)
                ]
                await client.write_event(AudioStop().event())
                while event := await client.read_event():
                    if Transcript.is_type(event.type):
                        final = Transcript.from_event(event).text
                        break
            assert len(pieces) > 1
            assert text.startswith("".join(pieces))
            assert final == text


async def test_names_are_heard_when_they_are_sent() -> None:
    people = recordings("coffee-a", most=160)
    slots = [wanted(recording) for recording in people]
    names = sorted({value for values in slots for value in values})
    async with people_door() as port:
        plain = await share(port, people, slots, ())
        biased = await share(port, people, slots, names)
    print(f"all slot values heard: {plain:.1%} without names, {biased:.1%} with {len(names)} names")
    assert biased >= plain + 0.15


def wanted(recording: Recording) -> list[str]:
    return [value.strip() for value in json.loads(recording.transcript)["slots"].values()]


async def share(
    port: int, people: list[Recording], slots: list[list[str]], names: Sequence[str]
) -> float:
    """Share of the utterances whose transcript has every slot value; four at a time."""
    places = asyncio.Semaphore(4)

    async def heard(recording: Recording, values: list[str]) -> bool:
        async with places:
            text = await transcript(port, pcm_of(recording), names)
        return all(f" {value.upper()} " in f" {text} " for value in values)

    results = await asyncio.gather(*map(heard, people, slots))
    return sum(results) / len(results)
