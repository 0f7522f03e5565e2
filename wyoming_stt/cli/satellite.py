"""A voice satellite in software: one utterance over Wyoming, sent at the pace of speech."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from wyoming.asr import Transcribe, Transcript, TranscriptChunk
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.error import Error

from wyoming_stt.audio.media import MediaReader
from wyoming_stt.audio.pcm import AudioFormat, PcmReader
from wyoming_stt.audio.resample import Resampler
from wyoming_stt.errors import SttError
from wyoming_stt.types import Samples

__all__ = ["Reply", "Satellite", "SatelliteError"]

CHUNK_S: Final = 0.01
"""Home Assistant's pipelines send 10 ms at a time."""
FORMAT: Final = AudioFormat()
"""What satellites send: 16 kHz, 16 bit, mono."""


class SatelliteError(SttError):
    """The server gave no transcript; says what it gave instead."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A transcript; `latency_s` counts from the last audio, None when it came before that."""

    text: str
    latency_s: float | None


@dataclass(frozen=True, slots=True)
class Satellite:
    """How to speak to a server."""

    uri: str
    names: tuple[str, ...] = ()
    language: str | None = None
    real_time: bool = True
    timeout_s: float = 30.0
    """Longest wait for the transcript after the last audio."""

    async def play(self, file: str, on_words: Callable[[float, str], None]) -> Reply:
        """Send a recording; `on_words(seconds played, words)` gets each piece of settled text.

        Raises:
            SatelliteError: the server answered with an error, or hung up.
            AudioFormatError: the file holds no audio.
            TimeoutError: no transcript came in time.
            OSError, ValueError: no connection to that URI.
        """
        reader = MediaReader(Path(file))
        client = AsyncClient.from_uri(self.uri, connect_timeout=self.timeout_s)
        await client.connect()
        try:
            return await self._converse(client, reader, on_words)
        finally:
            # The server may have hung up already.
            with contextlib.suppress(OSError):
                await client.disconnect()

    async def _converse(
        self, client: AsyncClient, reader: MediaReader, on_words: Callable[[float, str], None]
    ) -> Reply:
        sending = asyncio.create_task(self._send(client, reader))
        listening = asyncio.create_task(self._listen(client, on_words))
        try:
            await asyncio.wait([sending, listening], return_when=asyncio.FIRST_COMPLETED)
            if listening.done() and not sending.done():
                return Reply(listening.result().text, latency_s=None)
            sent = await sending
            async with asyncio.timeout(self.timeout_s):
                heard = await listening
            return Reply(heard.text, latency_s=heard.time - sent)
        finally:
            for task in (sending, listening):
                task.cancel()
            await asyncio.wait([sending, listening])

    async def _send(self, client: AsyncClient, reader: MediaReader) -> float:
        """Send the whole utterance; returns the event loop's time of the last audio."""
        loop = asyncio.get_running_loop()
        layout = {"rate": FORMAT.rate, "width": FORMAT.width, "channels": FORMAT.channels}
        wish = Transcribe(language=self.language, transcript_names=list(self.names) or None)
        # A server that hangs up has said why, and that is being read.
        with contextlib.suppress(ConnectionError):
            await client.write_event(wish.event())
            await client.write_event(AudioStart(**layout).event())
            due = loop.time()
            for pcm in _chunks(reader):
                due += CHUNK_S
                await asyncio.sleep(due - loop.time() if self.real_time else 0)
                await client.write_event(AudioChunk(audio=pcm, **layout).event())
            sent = loop.time()
            await client.write_event(AudioStop().event())
            return sent
        return loop.time()

    async def _listen(
        self, client: AsyncClient, on_words: Callable[[float, str], None]
    ) -> "_Heard":
        loop = asyncio.get_running_loop()
        started = loop.time()
        while (event := await client.read_event()) is not None:
            if TranscriptChunk.is_type(event.type):
                on_words(loop.time() - started, TranscriptChunk.from_event(event).text)
            elif Transcript.is_type(event.type):
                return _Heard(Transcript.from_event(event).text, loop.time())
            elif Error.is_type(event.type):
                error = Error.from_event(event)
                raise SatelliteError(f"{self.uri}: {error.text} ({error.code})")
        raise SatelliteError(f"{self.uri}: the server hung up without a transcript")


class _Heard(NamedTuple):
    """A transcript and the event loop's time of its coming."""

    text: str
    time: float


def _chunks(reader: MediaReader) -> Iterator[bytes]:
    """Read a recording as a microphone would give it: `CHUNK_S` at a time, in `FORMAT`."""
    size = FORMAT.seconds_to_bytes(CHUNK_S)
    waiting = b""
    for pcm in _convert(reader):
        waiting += pcm
        while len(waiting) >= size:
            yield waiting[:size]
            waiting = waiting[size:]
    if waiting:
        yield waiting


def _convert(reader: MediaReader) -> Iterator[bytes]:
    pcm, resampler = PcmReader(reader.format), Resampler(reader.format.rate)
    for piece in reader:
        yield _quantize(resampler.push(pcm.push(piece)))
    yield _quantize(resampler.finish())


def _quantize(samples: Samples) -> bytes:
    """Undo `PcmReader`: 16-bit audio at 16 kHz is sent exactly as it was recorded."""
    return np.clip(np.rint(samples * 32768), -32768, 32767).astype("<i2").tobytes()
