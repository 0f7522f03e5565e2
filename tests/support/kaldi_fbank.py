"""Log-mel filter bank energies as Kaldi computes them, incrementally.

The features of every icefall model: 25 ms povey windows each 10 ms, edges mirrored
(`snip_edges=False`), no dither, DC removed and pre-emphasised per window, 80 triangles on the
mel scale from 20 Hz to 7600 Hz (`high_freq=-400`; 8000 Hz makes those models drop words), natural
log of the power, floored at float32's epsilon. Checked against kaldi-native-fbank.
"""

import copy
from typing import Final, Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from wyoming_stt.types import SAMPLE_RATE, Features, Samples

__all__ = ["FRAME_SHIFT", "NUM_MELS", "FbankStream", "batch", "samples_for"]

FRAME_SHIFT: Final = 160
"""Samples from one feature frame to the next: 10 ms."""
NUM_MELS: Final = 80

_FRAME_LENGTH: Final = 400
_FFT_SIZE: Final = 512
# Frame i is centred at sample i * 160 + 80, so the first begins this far before the audio.
_LEFT: Final = (_FRAME_LENGTH - FRAME_SHIFT) // 2
_LOW_HZ, _HIGH_HZ = 20.0, 7600.0
_PREEMPHASIS: Final = np.float32(0.97)
_FLOOR: Final = np.finfo(np.float32).eps
# Temporaries of larger blocks leave the CPU's cache: 64 frames take 3 us each, 512 take 9 us.
_BLOCK: Final = 64


class FbankStream:
    """Feature frames of one utterance, the same to the last bit however it is cut.

    That holds for the sizes of pushes and for the numbers of frames taken: each frame is computed
    from its own samples by operations whose result does not depend on its neighbours.
    """

    def __init__(self) -> None:
        # Begins at the next frame to take, once the mirrored left edge is in place.
        self._samples: Samples = np.empty(0, np.float32)
        self._mirrored = False
        self._finished = False

    def push(self, samples: Samples) -> None:
        """Take samples, shape (N,). Costs a copy; the arithmetic is done in `take`."""
        if self._finished:
            raise ValueError("push after finish")
        self._samples = np.concatenate((self._samples, samples))
        if not self._mirrored and len(self._samples) >= _LEFT:
            self._samples = np.pad(self._samples, (_LEFT, 0), mode="symmetric")
            self._mirrored = True

    @property
    def num_ready(self) -> int:
        """Frames that can be taken."""
        if not self._mirrored:
            return 0
        return max(0, (len(self._samples) - _FRAME_LENGTH) // FRAME_SHIFT + 1)

    def take(self, num_frames: int) -> Features:
        """Return the next frames, shape (num_frames, 80).

        Raises:
            ValueError: fewer are ready.
        """
        if num_frames > self.num_ready:
            raise ValueError(f"{num_frames} frames asked for, {self.num_ready} ready")
        features = np.empty((num_frames, NUM_MELS), np.float32)
        for start in range(0, num_frames, _BLOCK):
            block = features[start : start + _BLOCK]
            size = (len(block) - 1) * FRAME_SHIFT + _FRAME_LENGTH
            _log_mel(self._samples[start * FRAME_SHIFT :][:size], block)
        self._samples = self._samples[num_frames * FRAME_SHIFT :]
        return features

    def finish(self) -> None:
        """Mirror the right edge, so that N samples make (N + 80) // 160 frames in all."""
        if self._finished:
            return
        self._finished = True
        left = 0 if self._mirrored else _LEFT
        position = len(self._samples) + left - _LEFT
        remaining = (position + FRAME_SHIFT // 2) // FRAME_SHIFT
        if remaining == 0:
            return
        right = (remaining - 1) * FRAME_SHIFT + _FRAME_LENGTH - _LEFT - position
        self._samples = np.pad(self._samples, (left, max(0, right)), mode="symmetric")
        self._mirrored = True

    def copy(self) -> Self:
        """Fork: what is pushed to or taken from one is not seen by the other."""
        # The array is never written to, only replaced, so both may hold it.
        return copy.copy(self)


def batch(samples: Samples) -> Features:
    """Return all frames of a whole utterance, shape ((N + 80) // 160, 80)."""
    stream = FbankStream()
    stream.push(samples)
    stream.finish()
    return stream.take(stream.num_ready)


def samples_for(num_frames: int) -> int:
    """Return the samples after which that many frames are ready, without `finish`."""
    return num_frames * FRAME_SHIFT + _LEFT if num_frames else 0


def _log_mel(samples: Samples, out: Features) -> None:
    """Compute the frames of `samples` into `out`, shape (T, 80)."""
    frames = sliding_window_view(samples, _FRAME_LENGTH)[::FRAME_SHIFT]
    frames = frames - frames.mean(axis=1, keepdims=True)
    emphasised = np.empty_like(frames)
    np.multiply(frames[:, :-1], -_PREEMPHASIS, out=emphasised[:, 1:])
    np.multiply(frames[:, 0], -_PREEMPHASIS, out=emphasised[:, 0])
    emphasised += frames
    emphasised *= _WINDOW
    spectrum = np.fft.rfft(emphasised, _FFT_SIZE)
    power = (spectrum.real**2 + spectrum.imag**2)[:, None, :]
    for bins, mels, weights in _MEL_BANDS:
        np.matmul(power[..., bins], weights, out=out[:, None, mels])
    np.maximum(out, _FLOOR, out=out)
    np.log(out, out=out)


def _povey_window() -> NDArray[np.float32]:
    """Hann to the power 0.85, symmetric, shape (400,)."""
    window: NDArray[np.float64] = np.hanning(_FRAME_LENGTH) ** 0.85
    return window.astype(np.float32)


def _mel_weights() -> NDArray[np.float32]:
    """Triangles, shape (257 FFT bins, 80): equal widths on the scale 1127 ln(1 + f / 700)."""

    def mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
        return 1127.0 * np.log1p(hertz / 700.0)

    low, high = mel(np.array([_LOW_HZ, _HIGH_HZ]))
    edges = np.linspace(low, high, NUM_MELS + 2)
    bins = mel(np.arange(_FFT_SIZE // 2 + 1) * SAMPLE_RATE / _FFT_SIZE)[:, None]
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (bins - left) / (centre - left), (right - bins) / (right - centre)
    weights: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling))
    return weights.astype(np.float32)


def _mel_bands() -> list[tuple[slice, slice, NDArray[np.float32]]]:
    """Cut the mel matrix in two (bins, mels, weights): half of it is zeros.

    Each half also stays below the size at which OpenBLAS calls its threads, whose hand-over costs
    more than the product, up to milliseconds when another stream has the other core.
    """
    weights = _mel_weights()
    bands = []
    for mels in (slice(0, NUM_MELS // 2), slice(NUM_MELS // 2, NUM_MELS)):
        used = np.flatnonzero(weights[:, mels].any(axis=1))
        bins = slice(int(used[0]), int(used[-1]) + 1)
        bands.append((bins, mels, np.ascontiguousarray(weights[bins, mels])))
    return bands


_WINDOW: Final = _povey_window()
_MEL_BANDS: Final = _mel_bands()
