"""Any rate to 16 kHz, piece by piece."""

from typing import Final

import numpy as np
import soxr

from wyoming_stt.types import SAMPLE_RATE, Samples

__all__ = ["Resampler"]

_NOTHING: Final[Samples] = np.empty(0, np.float32)


class Resampler:
    """Streaming conversion of mono samples to 16 kHz (soxr, HQ: 20 bit, linear phase).

    N samples at `rate` become N * 16000 / rate in all (halves rounded up), bit for bit the same
    however they are cut: soxr works in blocks of its own. At 16 kHz samples pass untouched.
    """

    def __init__(self, rate: int) -> None:
        self._stream = (
            None
            if rate == SAMPLE_RATE
            else soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32", quality="HQ")
        )

    def push(self, samples: Samples) -> Samples:
        """Return what can be said by now; the filter looks ahead, so some of it comes later."""
        if self._stream is None:
            return samples
        resampled: Samples = self._stream.resample_chunk(samples)
        return resampled

    def finish(self) -> Samples:
        """Return the rest. Nothing may be pushed after it."""
        if self._stream is None:
            return _NOTHING
        rest: Samples = self._stream.resample_chunk(_NOTHING, last=True)
        return rest
