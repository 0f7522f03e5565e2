"""Hears speech begin, and costs next to nothing while there is nothing to hear."""

from dataclasses import replace
from typing import Final

import numpy as np

from wyoming_stt.audio.gate import Gate, VadOptions, make_gate
from wyoming_stt.audio.pcm import AudioFormat, PcmReader
from wyoming_stt.audio.resample import Resampler
from wyoming_stt.types import Samples

__all__ = ["Wake"]

QUIET: Final = 0.001
"""Root mean square of 10 ms that no detector need look at: -60 dBFS. Speech has -26, the same 20 dB
softer -46; the microphone of a quiet room has -70 to -80."""
CALM_S: Final = 1.0
"""After so much of it the detector is put away."""


class Wake:
    """Waits for speech in PCM, which has to come in pieces of at least 10 ms."""

    def __init__(self, audio_format: AudioFormat, vad: VadOptions) -> None:
        self._rate = audio_format.rate
        self._pcm = PcmReader(audio_format)
        # It need not keep any audio: whoever asks has it.
        self._vad = replace(vad, pre_roll_s=0.0, max_hold_s=0.0)
        self._gate: Gate | None = None
        self._resampler = Resampler(self._rate)
        self._before: Samples = np.empty(0, np.float32)
        self._calm = 0

    def push(self, pcm: bytes) -> bool:
        """Take more PCM; return whether speech has begun in it."""
        samples = self._pcm.push(pcm)
        quiet = self._is_quiet(samples)
        self._calm = self._calm + len(samples) if quiet else 0
        if self._gate is None:
            if quiet:
                self._before = samples
                return False
            # From the last of the quiet on: the detector learns the room from what it hears first.
            self._gate, self._resampler = make_gate(self._vad, 1), Resampler(self._rate)
            samples = np.concatenate((self._before, samples))
        self._gate.push(self._resampler.push(samples))
        if self._gate.heard_speech:
            return True
        if self._calm >= CALM_S * self._rate:
            self._gate, self._before = None, samples
        return False

    def _is_quiet(self, samples: Samples) -> bool:
        size = self._rate // 100
        moments = samples[len(samples) % size :].reshape(-1, size)
        return bool(np.einsum("ij,ij->i", moments, moments).max(initial=0) <= QUIET**2 * size)
