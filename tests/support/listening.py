"""Whole recordings through an engine, and what was heard in them."""

from collections.abc import Iterable, Sequence

import numpy as np
import pytest

from wyoming_stt.audio.cut import CutOptions
from wyoming_stt.audio.endpoint import EndpointOptions
from wyoming_stt.audio.gate import VadOptions
from wyoming_stt.engine import Engine, UtteranceOptions
from wyoming_stt.events import Event, FinalTranscript, Word
from wyoming_stt.recording import Listening, RecordingOptions

__all__ = ["FILE", "MICROPHONE", "OPTIONS", "both", "finals", "is_quiet", "listen", "words"]

OPTIONS = UtteranceOptions(
    vad=VadOptions(kind="energy"), endpoint=EndpointOptions.from_sensitivity("default")
)
SMALL = CutOptions(from_s=1.0, longest_s=4.0, long_pause_s=0.6, short_pause_s=0.2)
FILE = RecordingOptions(keep_silence=True, cut=SMALL)
MICROPHONE = RecordingOptions(keep_silence=False, cut=SMALL)
both = pytest.mark.parametrize("recording", [FILE, MICROPHONE], ids=["file", "microphone"])


async def listen(
    engine: Engine,
    pieces: Iterable[bytes],
    recording: RecordingOptions,
    options: UtteranceOptions = OPTIONS,
) -> list[Event]:
    async with Listening(engine, options, recording) as listening:
        events = [event for pcm in pieces for event in await listening.accept(pcm)]
        events += await listening.finish()
        assert not listening.holds_lease
        return events


def finals(events: Sequence[Event]) -> list[FinalTranscript]:
    return [event for event in events if isinstance(event, FinalTranscript)]


def words(events: Sequence[Event]) -> list[Word]:
    return [word for final in finals(events) for word in final.words]


def is_quiet(pcm: bytes, position: int) -> bool:
    around = pcm[max(0, 2 * position - 320) : 2 * position + 320]
    return not np.frombuffer(around, "<i2").any()
