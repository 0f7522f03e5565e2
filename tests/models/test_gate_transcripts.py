"""The gate keeps silence from the model and no word from the transcript.

Where less than `pre_roll_s` of silence leads, gated and ungated audio are the same to the model but
for the silence at the end, and so are the transcripts. Where more leads, the model has heard
another stretch of the room when the speech begins, and an unclear word may come out another way:
then it is the number of wrong words that must not grow.
"""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.support.chunks import every
from tests.support.shared import MODEL, needs_shared, recordings
from tests.support.words import word_errors
from wyoming_stt.audio.gate import VadOptions
from wyoming_stt.events import FinalTranscript, SpeechStarted
from wyoming_stt.models.base import Recognizer
from wyoming_stt.models.registry import load_model
from wyoming_stt.session import Session, UtteranceOptions

pytestmark = [needs_shared, pytest.mark.model]

GATED, OPEN = VadOptions(), VadOptions(kind="off")
SETS = ("librispeech-other-a", "ha-commands-tts-en", "coffee-a")


@cache
def recognizer() -> Recognizer:
    return load_model(MODEL, languages=["en"])


def listen(pcm: bytes, vad: VadOptions) -> tuple[FinalTranscript, list[SpeechStarted]]:
    session = Session(recognizer(), UtteranceOptions(vad=vad))
    events = [event for piece in every(pcm, 3_200) for event in session.accept(piece)]
    *events, final = [*events, *session.finish()]
    return final, [event for event in events if isinstance(event, SpeechStarted)]


def read(path: Path) -> bytes:
    samples, _ = soundfile.read(path, dtype="int16")
    return samples.tobytes()


def room(duration_s: float) -> bytes:
    """The hiss of a quiet room, at -60 dBFS."""
    rng = np.random.default_rng(1)
    hiss = rng.standard_normal(round(duration_s * 16_000)) * 32.8
    return hiss.astype("<i2").tobytes()


def differing(name: str, most: int) -> tuple[int, int]:
    """How many transcripts differ with and without the gate, of how many."""
    pcms = [read(recording.path) for recording in recordings(name, most)]
    return sum(listen(p, GATED)[0].text != listen(p, OPEN)[0].text for p in pcms), len(pcms)


@pytest.mark.parametrize("name", SETS)
def test_gated_and_open_transcripts_agree(name: str) -> None:
    assert differing(name, 3)[0] == 0


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", SETS)
def test_gated_and_open_transcripts_agree_on_many_recordings(name: str) -> None:
    differ, total = differing(name, 60)
    print(f"{name}: {differ} of {total} transcripts differ with the gate")
    assert differ <= total * 0.02


def test_a_quiet_room_costs_nothing_and_says_nothing() -> None:
    final, started = listen(room(10), GATED)
    assert (final.text, started) == ("", [])


@pytest.mark.parametrize("index", [0, 20, 40])
def test_words_keep_their_time_behind_silence(index: int) -> None:
    pcm = read(recordings("ha-commands-tts-en")[index].path)
    alone, _ = listen(pcm, GATED)
    behind, (started, *_) = listen(room(6.4) + pcm + room(2), GATED)
    late = 6.4 * 16_000
    assert started.position >= late - 1_600
    assert behind.words[0].start >= late
    assert abs(behind.words[-1].end - late - alone.words[-1].end) <= 16_000 * 0.2


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ["librispeech-other-a", "ha-commands-tts-en"])
def test_silence_around_speech_makes_no_more_wrong_words(name: str) -> None:
    words = gated = ungated = 0
    for recording in recordings(name, 40):
        said, pcm = recording.transcript, room(3) + read(recording.path) + room(2)
        words += len(said.split())
        gated += word_errors(said, listen(pcm, GATED)[0].text)
        ungated += word_errors(said, listen(pcm, OPEN)[0].text)
    print(
        f"{name}: {gated / words:.2%} of words wrong with the gate, {ungated / words:.2%} without"
    )
    assert gated <= ungated + 0.01 * words
