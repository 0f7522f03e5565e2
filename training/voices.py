"""Free synthesizers of Debian, each utterance in a voice of its own."""

from __future__ import annotations

import io
import random
import subprocess
from collections.abc import Sequence

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

__all__ = ["SAMPLE_RATE", "SynthesisError", "speak"]

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

ENGINE_SHARES = (0.50, 0.44, 0.06)
"""espeak-ng is the most various, flite the most human, festival the slowest."""


class SynthesisError(RuntimeError):
    """A synthesizer gave no usable sound."""


def speak(text: str, rng: random.Random, language: str = "en") -> tuple[str, NDArray[np.int16]]:
    """Speak `text` in a random voice.

    Args:
        text: What to say.
        rng: Draws the voice, its speed and its pitch.
        language: `en`, or any language of espeak-ng, which then speaks alone.

    Returns:
        The voice's name, and 16 kHz samples with a little silence around.

    Raises:
        SynthesisError: The synthesizer failed or gave silence.
    """
    if language == "en":
        engine = rng.choices((_espeak, _flite, _festival), ENGINE_SHARES)[0]
        voice, command, feed = engine(text, rng)
    else:
        voice, command, feed = _espeak(text, rng, (language,))
    done = subprocess.run(command, input=feed, capture_output=True, timeout=TIMEOUT_S, check=False)
    try:
        audio, rate = soundfile.read(io.BytesIO(_complete(done.stdout)), dtype="float32")
    except soundfile.LibsndfileError as error:
        raise SynthesisError(f"{voice} gave no sound for {text!r}") from error
    return voice, _finish(audio, rate, rng)


def _complete(wav: bytes) -> bytes:
    """Fill in the length that festival cannot know when it writes the header to a pipe."""
    length = len(wav) - WAV_HEADER_BYTES
    return wav[: WAV_HEADER_BYTES - 4] + length.to_bytes(4, "little") + wav[WAV_HEADER_BYTES:]


def _espeak(
    text: str, rng: random.Random, accents: Sequence[str] = ESPEAK_ACCENTS
) -> tuple[str, list[str], bytes]:
    voice = f"{rng.choice(accents)}+{rng.choice(ESPEAK_VARIANTS)}"
    speed, pitch, gap = rng.randint(115, 215), rng.randint(15, 85), rng.choice((0, 0, 0, 1, 2, 4))
    command = f"espeak-ng -v {voice} -s {speed} -p {pitch} -g {gap} --stdin --stdout".split()
    return voice, command, text.encode()


def _flite(text: str, rng: random.Random) -> tuple[str, list[str], bytes]:
    voice = rng.choice(FLITE_VOICES)
    stretch, pitch = (
        f"duration_stretch={rng.uniform(0.72, 1.3):.2f}",
        f"int_f0_target_mean={rng.randint(75, 250)}",
    )
    command = [
        "flite",
        "-voice",
        voice,
        "--setf",
        stretch,
        "--setf",
        pitch,
        "-t",
        text,
        "-o",
        "/dev/stdout",
    ]
    return voice, command, b""


def _festival(text: str, rng: random.Random) -> tuple[str, list[str], bytes]:
    voice = rng.choice(FESTIVAL_VOICES)
    stretch = f"(Parameter.set 'Duration_Stretch {rng.uniform(0.8, 1.25):.2f})"
    return (
        voice,
        ["text2wave", "-eval", f"(voice_{voice})", "-eval", stretch, "-F", "16000"],
        text.encode(),
    )


def _finish(audio: NDArray[np.float32], rate: int, rng: random.Random) -> NDArray[np.int16]:
    loud = np.flatnonzero(np.abs(audio) > SILENCE)
    if len(loud) < rate // 10:
        raise SynthesisError("nothing audible")
    audio = audio[loud[0] : loud[-1]]
    # A small resampling moves pitch and formants together; the synthesizers' knobs do not.
    audio = soxr.resample(audio, rate * rng.uniform(0.92, 1.09), SAMPLE_RATE)
    before, after = (
        np.zeros(int(SAMPLE_RATE * rng.uniform(*span)), np.float32)
        for span in ((0.05, 0.5), (0.3, 0.7))
    )
    audio = np.concatenate([before, audio * (0.7 / np.abs(audio).max()), after])
    return (audio * 32767).astype(np.int16)
