"""Free synthesizers, each utterance in a voice of its own."""

from __future__ import annotations

import io
import random
import subprocess
from collections.abc import Callable, Sequence

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from training import neural_voices
from training.neural_voices import Speech, SynthesisError

__all__ = ["DEBIAN", "ENGINES", "SAMPLE_RATE", "SynthesisError", "speak", "weight_of_spoken"]

SAMPLE_RATE = 16_000
TIMEOUT_S = 60
WAV_HEADER_BYTES = 44
SILENCE = 0.005
"""Samples below this are the synthesizers' lead-in and tail."""

ESPEAK_ACCENTS = (
    "en-us", "en-us", "en-us-nyc", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan",
    "en-gb-x-gbcwmd", "en-029",
)  # fmt: skip
ESPEAK_VARIANTS = (
    "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "f1", "f2", "f3", "f4", "f5", "klatt",
    "klatt2", "klatt3", "klatt4", "klatt5", "klatt6", "croak", "whisper", "whisperf", "aunty",
    "belinda", "benjamin", "boris", "caleb", "Alex", "Alicia", "Andrea", "Andy", "Annie",
    "antonio", "Denis", "Diogo", "Gene", "Gene2", "Henrique", "Hugo", "Jacky", "Lee", "Marco",
    "Mario", "Michael", "Mike", "Nguyen", "Storm", "Tweaky", "adam", "anika", "announcer",
    "david", "ed", "edward", "edward2", "grandma", "grandpa", "gustave", "iven", "iven2",
    "iven3", "iven4", "john", "kaukovalta", "linda", "marcelo", "max", "michel", "miguel",
    "norbert", "pablo", "paul", "pedro", "quincy", "rob", "robert", "sandro", "shelby", "steph",
    "steph2", "steph3", "travis", "victor", "zac",
)  # fmt: skip
FLITE_VOICES = ("awb", "rms", "slt", "rms", "slt", "awb", "kal16")
FESTIVAL_VOICES = ("kal_diphone", "ked_diphone", "cmu_us_slt_arctic_hts")

SHARES = {
    "espeak": 0.50, "flite": 0.44, "festival": 0.06,
    "pico": 0.3, "hibari": 0.7, "kokoro": 1.0,
}  # fmt: skip
"""How often an engine is drawn among those that are asked for: espeak-ng is the most various of
Debian's, flite the most human, festival the slowest; of the others kokoro has the most voices."""
VOICE_WEIGHTS = {"kokoro": 1.5, "hibari": 1.0, "pico": 0.8}
"""How often an utterance of an engine is heard in training, beside 0.6 for those of Debian."""
KIND_WEIGHTS = {"command": 2.0, "request": 2.0}
"""More of what a home is told, beside the sentences that were only written to be read."""
DEBIAN = ("espeak", "flite", "festival")


def speak(
    text: str, rng: random.Random, language: str = "en", engines: Sequence[str] = DEBIAN
) -> tuple[str, NDArray[np.int16]]:
    """Speak `text` in a random voice.

    Args:
        text: What to say.
        rng: Draws the voice, its speed and its pitch.
        language: `en`, or any language of espeak-ng, which then speaks alone.
        engines: Names of `SHARES` to draw from.

    Returns:
        The voice's name, and 16 kHz samples with a little silence around.

    Raises:
        SynthesisError: The synthesizer failed or gave silence.
    """
    if language != "en":
        return _finish(_espeak(text, rng, (language,)), rng)
    (name,) = rng.choices(list(engines), [SHARES[name] for name in engines])
    return _finish(ENGINES[name](text, rng), rng)


def weight_of_spoken(voice: str, kind: str) -> float:
    """Weight in training of what a synthetic voice said, a sentence of some kind."""
    return VOICE_WEIGHTS.get(voice.partition(" ")[0], 0.6) * KIND_WEIGHTS.get(kind, 1.0)


def _run(voice: str, command: list[str], feed: bytes = b"") -> Speech:
    try:
        done = subprocess.run(
            command, input=feed, capture_output=True, timeout=TIMEOUT_S, check=False
        )
        audio, rate = soundfile.read(io.BytesIO(_complete(done.stdout)), dtype="float32")
    except (soundfile.LibsndfileError, subprocess.TimeoutExpired) as error:
        raise SynthesisError(f"{voice} gave no sound for {command[-1]!r}") from error
    return Speech(voice, audio, rate)


def _complete(wav: bytes) -> bytes:
    """Fill in the length that festival cannot know when it writes the header to a pipe."""
    length = len(wav) - WAV_HEADER_BYTES
    return wav[: WAV_HEADER_BYTES - 4] + length.to_bytes(4, "little") + wav[WAV_HEADER_BYTES:]


def _espeak(text: str, rng: random.Random, accents: Sequence[str] = ESPEAK_ACCENTS) -> Speech:
    voice = f"{rng.choice(accents)}+{rng.choice(ESPEAK_VARIANTS)}"
    speed, pitch, gap = rng.randint(115, 215), rng.randint(15, 85), rng.choice((0, 0, 0, 1, 2, 4))
    command = f"espeak-ng -v {voice} -s {speed} -p {pitch} -g {gap} --stdin --stdout".split()
    return _run(voice, command, text.encode())


def _flite(text: str, rng: random.Random) -> Speech:
    voice = rng.choice(FLITE_VOICES)
    stretch, pitch = (
        f"duration_stretch={rng.uniform(0.72, 1.3):.2f}",
        f"int_f0_target_mean={rng.randint(75, 250)}",
    )
    command = f"flite -voice {voice} --setf {stretch} --setf {pitch} -o /dev/stdout -t".split()
    return _run(voice, [*command, text])


def _festival(text: str, rng: random.Random) -> Speech:
    voice = rng.choice(FESTIVAL_VOICES)
    stretch = f"(Parameter.set 'Duration_Stretch {rng.uniform(0.8, 1.25):.2f})"
    command = ["text2wave", "-eval", f"(voice_{voice})", "-eval", stretch, "-F", "16000"]
    return _run(voice, command, text.encode())


def _finish(speech: Speech, rng: random.Random) -> tuple[str, NDArray[np.int16]]:
    loud = np.flatnonzero(np.abs(speech.audio) > SILENCE)
    if len(loud) < speech.rate // 10:
        raise SynthesisError(f"nothing audible of {speech.voice}")
    # A small resampling moves pitch and formants together; the synthesizers' knobs do not.
    heard_rate = speech.rate * rng.uniform(*speech.shift)
    audio = soxr.resample(speech.audio[loud[0] : loud[-1]], heard_rate, SAMPLE_RATE)
    before, after = (
        np.zeros(int(SAMPLE_RATE * rng.uniform(*span)), np.float32)
        for span in ((0.05, 0.5), (0.3, 0.7))
    )
    audio = np.concatenate([before, audio * (0.7 / np.abs(audio).max()), after])
    return speech.voice, (audio * 32767).astype(np.int16)


ENGINES: dict[str, Callable[[str, random.Random], Speech]] = {
    "espeak": _espeak,
    "flite": _flite,
    "festival": _festival,
    "pico": neural_voices.pico,
    "hibari": neural_voices.hibari,
    "kokoro": neural_voices.kokoro,
}
