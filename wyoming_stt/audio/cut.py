"""Where a long recording is cut into pieces: in a pause, never inside speech.

    0 s                         from_s                                          longest_s
    ├─ never cut ────────────────┼─ the longer the piece, the shorter a pause will do ─┤

A piece that finds no pause at all, in music or a crowd, is cut where its last moments were softest.
"""

import dataclasses
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from wyoming_stt.audio.gate import VadOptions
from wyoming_stt.audio.pcm import AudioFormat, PcmReader
from wyoming_stt.audio.resample import Resampler
from wyoming_stt.audio.vad import VADS
from wyoming_stt.errors import SettingsError
from wyoming_stt.types import SAMPLE_RATE, Samples

__all__ = ["CutOptions", "Cutter"]

WARM_UP_S: Final = 2.0
"""The detector listens this long before its answers count: it has to learn the room."""
CHOICE_S: Final = 2.0
"""Without a pause, the softest moment of this much audio is the cut."""
MOMENT_S: Final = 0.12
"""How long that moment is; the gap between two words lasts about as long."""


@dataclass(frozen=True, slots=True)
class CutOptions:
    """How long a piece becomes; durations in seconds."""

    from_s: float = 20.0
    """No piece is cut shorter, so that most recordings stay whole."""
    longest_s: float = 60.0
    """No piece becomes longer."""
    long_pause_s: float = 0.8
    """The pause it takes at `from_s`: one between sentences."""
    short_pause_s: float = 0.2
    """The pause that will do at `longest_s`; between are all lengths between."""

    def __post_init__(self) -> None:
        if not 0 < self.from_s <= self.longest_s:
            raise SettingsError("cut.from_s must be above 0 and not above cut.longest_s")
        if not 0 < self.short_pause_s <= self.long_pause_s:
            raise SettingsError("cut.short_pause_s must be above 0 and not above cut.long_pause_s")

    def within(self, limit_s: float) -> Self:
        """Make pieces that are not longer than `limit_s`."""
        longest_s = min(self.longest_s, limit_s)
        return dataclasses.replace(
            self, longest_s=longest_s, from_s=min(self.from_s, longest_s / 2)
        )


class Cutter:
    """Follows one piece from its first frame to its cut; any chunking gives the same cut."""

    def __init__(self, audio_format: AudioFormat, vad: VadOptions, options: CutOptions) -> None:
        self._format = audio_format
        self._pcm = PcmReader(audio_format)
        self._resampler = Resampler(audio_format.rate)
        self._vad = VADS[vad.kind](vad.sensitivity)
        self._threshold = 1 - vad.sensitivity
        self._options = options
        self._from = round(options.from_s * SAMPLE_RATE)
        self._longest = round(options.longest_s * SAMPLE_RATE)
        self._choice = max(self._from, self._longest - round(CHOICE_S * SAMPLE_RATE))
        self._frame: Samples = np.empty(0, np.float32)
        self._position = self._speech_end = self._settled = 0
        self._energies: list[float] = []

    @property
    def settled(self) -> int:
        """Bytes from the first that surely belong to the piece."""
        return self._to_bytes(self._settled)

    def push(self, pcm: bytes) -> int | None:
        """Take more PCM; return where the piece ends, in bytes from its first, once that is known.

        Nothing may be pushed after it.
        """
        samples = self._resampler.push(self._pcm.push(pcm))
        waiting = np.concatenate((self._frame, samples))
        size = self._vad.frame_samples
        whole = len(waiting) - len(waiting) % size
        self._frame = waiting[whole:]
        for frame in waiting[:whole].reshape(-1, size):
            cut = self._hear(frame)
            if cut is not None:
                return self._to_bytes(cut)
        return None

    def _hear(self, frame: Samples) -> int | None:
        self._position += len(frame)
        if self._position > self._from - WARM_UP_S * SAMPLE_RATE:
            if self._vad.speech_prob(frame) > self._threshold:
                self._speech_end = self._position
        else:
            self._speech_end = self._position
        if self._position <= self._from:
            self._settled = self._position
            return None
        if self._position - self._speech_end >= self._pause():
            return max(self._settled, (self._position + self._speech_end) // 2)
        if self._position > self._choice:
            self._energies.append(float(np.dot(frame, frame)))
        if self._position + len(frame) > self._longest:
            return self._softest(len(frame))
        # Of a pause only as much as the shortest cut leaves to this piece.
        most = self._speech_end + self._shortest() // 2
        self._settled = max(self._settled, min(self._position, most, self._choice))
        return None

    def _pause(self) -> int:
        """Return the samples of silence that suffice for a cut at the present position."""
        options = self._options
        age = (self._position - self._from) / max(1, self._longest - self._from)
        pause_s = options.long_pause_s + age * (options.short_pause_s - options.long_pause_s)
        return round(max(pause_s, options.short_pause_s) * SAMPLE_RATE)

    def _shortest(self) -> int:
        return round(self._options.short_pause_s * SAMPLE_RATE)

    def _softest(self, size: int) -> int:
        """Return the middle of the softest moment since `_choice`."""
        width = min(max(1, round(MOMENT_S * SAMPLE_RATE / size)), len(self._energies))
        sums = np.convolve(self._energies, np.ones(width), "valid")
        first = self._position - len(self._energies) * size
        middle = first + int(np.argmin(sums)) * size + width * size // 2
        return max(self._settled, middle)

    def _to_bytes(self, position: int) -> int:
        return position * self._format.rate // SAMPLE_RATE * self._format.frame_bytes
