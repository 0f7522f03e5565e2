"""Kaldi's log-mel filter bank energies, incrementally: the features of every icefall model.

25 ms povey windows each 10 ms, edges mirrored (`snip_edges=False`), no dither, 80 triangles from
20 Hz to 7600 Hz (`high_freq=-400`: with 8000 Hz these models drop words). The arithmetic is
kaldi-native-fbank's, as in sherpa-onnx: quantised models round the last bits of a feature up into
other tokens, so the same words need the same bits.
"""

from typing import Any, Final, Self

import kaldi_native_fbank as knf
import numpy as np

from wyoming_stt.types import SAMPLE_RATE, Features, Samples

__all__ = ["FRAME_SHIFT", "NUM_MELS", "FbankStream", "batch", "samples_for"]

FRAME_SHIFT: Final = 160
"""Samples from one feature frame to the next: 10 ms."""
NUM_MELS: Final = 80

_OVERHANG: Final = 120
"""A window of 400 samples is centred on its 160 and reaches this far to either side of them."""


class FbankStream:
    """Feature frames of one utterance, the same to the last bit however it is cut."""

    def __init__(self) -> None:
        self._fbank = _new()
        self._first = 0  # the frame of the utterance that `_fbank` calls 0
        self._taken = 0
        self._recent: Samples = np.empty(0, np.float32)  # what a copy must be fed again

    def push(self, samples: Samples) -> None:
        """Take samples, shape (N,)."""
        # The binding takes any sequence item by item; those of a memoryview are the cheapest.
        self._fbank.accept_waveform(SAMPLE_RATE, samples.data)
        self._recent = np.concatenate((self._recent, samples))

    @property
    def num_ready(self) -> int:
        """Frames that can be taken."""
        ready: int = self._fbank.num_frames_ready
        return self._first + ready - self._taken

    def take(self, num_frames: int) -> Features:
        """Return the next frames, shape (num_frames, 80).

        Raises:
            ValueError: fewer are ready.
        """
        if num_frames > self.num_ready:
            raise ValueError(f"{num_frames} frames asked for, {self.num_ready} ready")
        start = self._taken - self._first
        features = np.empty((num_frames, NUM_MELS), np.float32)
        for row, index in enumerate(range(start, start + num_frames)):
            features[row] = self._fbank.get_frame(index)
        self._fbank.pop(num_frames)
        # All but one of the frames taken: the first frame of a copy is mirrored, so not usable.
        kept = max(self._taken - 1, 0)
        self._taken += num_frames
        self._recent = self._recent[(max(self._taken - 1, 0) - kept) * FRAME_SHIFT :]
        return features

    def finish(self) -> None:
        """Mirror the right edge, so that N samples make (N + 80) // 160 frames in all."""
        self._fbank.input_finished()

    def copy(self) -> Self:
        """Fork before the end: what is pushed to or taken from one is not seen by the other."""
        copy = type(self)()
        copy._first = max(self._taken - 1, 0)
        copy._taken = self._taken
        copy.push(self._recent)
        copy._fbank.pop(self._taken - copy._first)
        return copy


def batch(samples: Samples) -> Features:
    """Return all frames of a whole utterance, shape ((N + 80) // 160, 80)."""
    stream = FbankStream()
    stream.push(samples)
    stream.finish()
    return stream.take(stream.num_ready)


def samples_for(num_frames: int) -> int:
    """Return the samples after which that many frames are ready, without `finish`."""
    return num_frames * FRAME_SHIFT + _OVERHANG if num_frames else 0


def _new() -> Any:
    options = knf.FbankOptions()
    options.frame_opts.samp_freq = SAMPLE_RATE
    options.frame_opts.dither = 0.0
    options.frame_opts.snip_edges = False
    options.mel_opts.num_bins = NUM_MELS
    options.mel_opts.high_freq = -400.0
    return knf.OnlineFbank(options)
