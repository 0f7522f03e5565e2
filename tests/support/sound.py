"""PCM (16 kHz, 16 bit, mono) that is now loud, now quiet: words to the fake recogniser."""

import numpy as np
from hypothesis import strategies as st

from wyoming_stt.types import SAMPLE_RATE

__all__ = ["loud", "patterns", "quiet", "sound"]


def sound(*parts: tuple[bool, float]) -> bytes:
    """Parts one after the other: (whether it is loud, seconds)."""
    tones = [np.full(round(length * SAMPLE_RATE), 3_000 * loud, "<i2") for loud, length in parts]
    for tone in tones:
        tone[::2] *= -1
    return b"".join(tone.tobytes() for tone in tones)


def loud(length: float) -> bytes:
    return sound((True, length))


def quiet(length: float) -> bytes:
    return sound((False, length))


@st.composite
def patterns(draw: st.DrawFn) -> bytes:
    """Sound that is now loud, now quiet, each for 10 ms to 1.5 s."""
    lengths = draw(st.lists(st.integers(1, 150), max_size=8))
    first = draw(st.booleans())
    return sound(*(((i % 2 == 0) == first, length / 100) for i, length in enumerate(lengths)))
