import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
from wyoming.asr import Transcribe, Transcript, TranscriptChunk
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event, async_read_event, async_write_event

from tests.support.program import write_recording
from wyoming_stt.cli.satellite import CHUNK_S, Satellite, SatelliteError
from wyoming_stt.errors import AudioFormatError

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return write_recording(tmp_path / "recording.wav", duration_s=0.105)


@asynccontextmanager
async def scripted(talk: Talk) -> AsyncIterator[str]:
    """Run a server that does what it is told, once per connection; gives its URI."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        finally:
            writer.close()
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def play(satellite: Satellite, file: Path) -> tuple[str, float | None, list[str]]:
    words: list[str] = []
    reply = await satellite.play(str(file), lambda _, piece: words.append(piece))
    return reply.text, reply.latency_s, words


@pytest.mark.parametrize("real_time", [True, False])
async def test_a_recording_is_sent_as_it_is_and_the_answer_is_timed(
    recording: Path, *, real_time: bool
) -> None:
    heard: list[Event] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (event := await async_read_event(reader)) is not None:
            heard.append(event)
            if AudioStop.is_type(event.type):
                await async_write_event(TranscriptChunk("turn").event(), writer)
                await async_write_event(TranscriptChunk(" on").event(), writer)
                await async_write_event(Transcript("turn on").event(), writer)

    async with scripted(talk) as uri:
        satellite = Satellite(uri, names=("lamp", "hall"), language="en", real_time=real_time)
        text, latency_s, words = await play(satellite, recording)
    assert (text, words) == ("turn on", ["turn", " on"])
    assert latency_s is not None
    assert latency_s > 0
    wish, start, *chunks, stop = heard
    assert Transcribe.from_event(wish).transcript_names == ["lamp", "hall"]
    assert Transcribe.from_event(wish).language == "en"
    assert AudioStart.is_type(start.type)
    assert AudioStop.is_type(stop.type)
    pieces = [AudioChunk.from_event(chunk) for chunk in chunks]
    assert {piece.seconds for piece in pieces[:-1]} == {CHUNK_S}
    sent = b"".join(piece.audio for piece in pieces)
    assert sent == soundfile.read(recording, dtype="int16")[0].tobytes()


async def test_an_early_transcript_has_no_latency(recording: Path) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await async_read_event(reader)
        await async_write_event(Transcript("stop").event(), writer)
        await reader.read()

    async with scripted(talk) as uri:
        assert await play(Satellite(uri), recording) == ("stop", None, [])


async def test_an_error_and_its_code_are_told(recording: Path) -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await async_write_event(Error("no place is free", "server-busy").event(), writer)

    async with scripted(talk) as uri:
        with pytest.raises(SatelliteError, match=r"no place is free \(server-busy\)"):
            await play(Satellite(uri), recording)


async def test_a_server_that_hangs_up_is_told(recording: Path) -> None:
    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        while (event := await async_read_event(reader)) and not AudioStop.is_type(event.type):
            pass

    async with scripted(talk) as uri:
        with pytest.raises(SatelliteError, match="hung up"):
            await play(Satellite(uri), recording)


async def test_patience_ends_after_the_last_audio(recording: Path) -> None:
    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with scripted(talk) as uri:
        with pytest.raises(TimeoutError):
            await play(Satellite(uri, real_time=False, timeout_s=0.05), recording)


async def test_a_file_that_is_damaged_is_told_while_the_server_waits(tmp_path: Path) -> None:
    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    whole = tmp_path / "whole.flac"
    soundfile.write(whole, np.random.default_rng(1).normal(0, 0.1, 16_000), 16_000)
    damaged = tmp_path / "damaged.flac"
    damaged.write_bytes(whole.read_bytes()[:-5_000])
    async with scripted(talk) as uri:
        with pytest.raises(AudioFormatError, match=r"damaged\.flac is damaged after"):
            await play(Satellite(uri, real_time=False), damaged)


async def test_without_audio_no_server_is_troubled(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("no audio")
    with pytest.raises(AudioFormatError, match=r"notes\.txt is no sound file"):
        await play(Satellite("tcp://127.0.0.1:1"), notes)
