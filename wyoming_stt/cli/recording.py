"""One recording through the engine: the path that every utterance takes, fed from a file."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final, cast

from wyoming_stt.cli.formats import Transcription
from wyoming_stt.engine import Engine, UtteranceOptions
from wyoming_stt.events import Event, FinalTranscript
from wyoming_stt.media_stream import MediaStream
from wyoming_stt.recording import Listening, RecordingOptions
from wyoming_stt.transcript import Transcript
from wyoming_stt.types import seconds

__all__ = ["STANDARD_INPUT", "Listener", "transcribe_file"]

STANDARD_INPUT: Final = "-"

Listener = Callable[[float, Sequence[Event]], None]
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
    recording = RecordingOptions(keep_silence=options.vad.kind == "off")
    finals: list[FinalTranscript] = []

    def hear(fraction: float, events: Sequence[Event]) -> None:
        finals.extend(event for event in events if isinstance(event, FinalTranscript))
        listener(fraction, events)

    async with (
        MediaStream(_standard_input() if file == STANDARD_INPUT else Path(file)) as media,
        Listening(engine, replace(options, format=media.format), recording) as listening,
    ):
        async for pcm in media:
            events = await listening.accept(pcm)
            hear(_fraction(seconds(listening.position), media.duration_s), events)
        hear(1.0, await listening.finish())
    info = (await engine.ready()).info
    transcript = Transcript.join(
        finals,
        duration_s=seconds(listening.position),
        language=next(iter(info.languages), ""),
        model=info.name,
    )
    return Transcription(file, transcript, listening.stats.rtf)


def _standard_input() -> BinaryIO:
    """Return it without a buffer: whoever waits in one must not keep the program from ending."""
    return cast("BinaryIO", open(sys.stdin.fileno(), "rb", buffering=0, closefd=False))


def _fraction(read_s: float, duration_s: float | None) -> float:
    return min(1.0, read_s / duration_s) if duration_s else 0.0
