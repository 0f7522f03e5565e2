"""One recording through the engine: the path that every utterance takes, fed from a file."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from wyoming_stt.audio.media import MediaReader
from wyoming_stt.cli.formats import Transcription
from wyoming_stt.engine import Engine
from wyoming_stt.events import Event, FinalTranscript
from wyoming_stt.session import UtteranceOptions

__all__ = ["STANDARD_INPUT", "Listener", "transcribe_file"]

STANDARD_INPUT: Final = "-"

READ_S: Final = 0.25
"""Audio decoded at a time. A codec's own frames are so short that handing them from thread to
thread would take longer than decoding them."""

Listener = Callable[[float, list[Event]], None]
"""Told the fraction of the file that was read (0 while its length is unknown) and what was heard
in it since the last call."""


async def transcribe_file(
    engine: Engine, file: str, options: UtteranceOptions, listener: Listener
) -> Transcription:
    """Decode a file, or standard input, while it is read.

    Raises:
        SttError: it holds no audio that we read, or could not be decoded.
        OSError: it cannot be read.
    """
    source = sys.stdin.buffer if file == STANDARD_INPUT else Path(file)
    reader = await asyncio.to_thread(MediaReader, source)
    pieces = iter(reader)
    num_bytes = 0
    async with engine.open(replace(options, format=reader.format)) as lease:
        # Reading happens in a thread: a pipe may keep us waiting, and decompressing takes a while.
        while pcm := await asyncio.to_thread(_read, pieces, reader.format.seconds_to_bytes(READ_S)):
            num_bytes += len(pcm)
            listener(_fraction(reader, num_bytes), await lease.accept(pcm))
        events = await lease.finish()
        listener(1.0, events)
        duration_s = num_bytes / reader.format.seconds_to_bytes(1)
        return Transcription(file, _final(events), duration_s, lease.stats.rtf)


def _read(pieces: Iterator[bytes], size: int) -> bytes:
    """Join pieces up to at least that size; what comes short of it is the end."""
    pcm = bytearray()
    while len(pcm) < size and (piece := next(pieces, b"")):
        pcm += piece
    return bytes(pcm)


def _fraction(reader: MediaReader, num_bytes: int) -> float:
    if not reader.duration_s:
        return 0.0
    return min(1.0, num_bytes / reader.format.seconds_to_bytes(reader.duration_s))


def _final(events: list[Event]) -> FinalTranscript:
    return next(event for event in events if isinstance(event, FinalTranscript))
