"""Bytes from the wire to mono samples."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wyoming_stt.errors import AudioFormatError
from wyoming_stt.types import SAMPLE_RATE, Samples

__all__ = ["AudioFormat", "PcmReader"]

# Telephone to studio. Wider than what any client is known to send, narrow enough that a
# header cannot make the resampler allocate without bound.
RATES: Final = (8_000, 48_000)
WIDTHS: Final = (1, 4)
CHANNELS: Final = (1, 8)


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """How PCM is laid out: `rate` in Hz, `width` in bytes a sample, interleaved `channels`.

    Raises:
        AudioFormatError: a value that is no whole number, or outside 8 to 48 kHz, 1 to 4 bytes,
            1 to 8 channels.
    """

    rate: int = SAMPLE_RATE
    width: int = 2
    channels: int = 1

    def __post_init__(self) -> None:
        for name, (low, high) in (("rate", RATES), ("width", WIDTHS), ("channels", CHANNELS)):
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise AudioFormatError(
                    f"audio {name} {value!r} is not supported: send a whole number "
                    f"from {low} to {high}"
                )

    @property
    def frame_bytes(self) -> int:
        """Bytes of one moment: one sample of every channel."""
        return self.width * self.channels

    def seconds_to_bytes(self, duration_s: float) -> int:
        """Size of that much audio, in whole frames."""
        return round(duration_s * self.rate) * self.frame_bytes


class PcmReader:
    """Reads PCM in pieces of any size; a frame cut in two waits for its other half."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self._format = audio_format
        self._carry = b""

    def push(self, pcm: bytes) -> Samples:
        """Return the mean of the channels of all frames complete by now, at the format's rate.

        One byte wide means unsigned; wider means signed little-endian. 16 bits are scaled by
        exactly 1/32768.
        """
        pcm = self._carry + pcm
        whole = len(pcm) - len(pcm) % self._format.frame_bytes
        self._carry = pcm[whole:]
        values, full_scale = _integers(pcm[:whole], self._format.width)
        channels = self._format.channels
        if channels > 1:
            # In float64 the sum of 8 channels is exact, hence the same for every chunking.
            values = values.reshape(-1, channels).sum(axis=1, dtype=np.float64)
            values /= channels
        return values.astype(np.float32) * np.float32(1 / full_scale)


def _integers(pcm: bytes, width: int) -> tuple[NDArray[np.generic], int]:
    """Return the values of signed PCM, shape (N,), and what is full scale among them."""
    match width:
        case 1:
            return np.frombuffer(pcm, np.uint8).astype(np.int16) - 128, 1 << 7
        case 2:
            return np.frombuffer(pcm, "<i2"), 1 << 15
        case 3:
            # As the upper three bytes of 32 bits, so that the sign is where NumPy looks for it.
            wide = np.zeros((len(pcm) // 3, 4), np.uint8)
            wide[:, 1:] = np.frombuffer(pcm, np.uint8).reshape(-1, 3)
            return wide.view("<i4").ravel(), 1 << 31
        case _:
            return np.frombuffer(pcm, "<i4"), 1 << 31
