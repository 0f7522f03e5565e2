"""A streaming encoder whose caches stay where they are: no copy, no allocation per chunk."""

import numpy as np

from wyoming_stt.models.metadata import StreamingShape
from wyoming_stt.ort import Array, BoundCall, OrtModel
from wyoming_stt.types import Features

__all__ = ["EncoderStream"]


class EncoderStream:
    """One utterance in the encoder.

    The graph reads its caches from one set of arrays and writes them to another; the sets change
    places after every chunk. With a hundred caches this saves a tenth of a small model's time
    against passing them through a dictionary.
    """

    def __init__(self, model: OrtModel, shape: StreamingShape) -> None:
        self._model = model
        self._shape = shape
        self.window: Features = np.zeros((shape.chunk_size, shape.num_features), np.float32)
        """The feature frames of the next chunk, shape (T, C); the caller writes here."""
        self._processed = np.zeros(1, model.inputs[-1].dtype)
        state = slice(1, len(model.outputs))
        self._states = tuple([spec.zeros() for spec in model.inputs[state]] for _ in range(2))
        self._encoder_out = np.zeros((1, shape.num_frames, shape.joiner_dim), np.float32)
        self._calls: list[BoundCall] | None = None
        self._turn = 0

    def fork(self) -> "EncoderStream":
        """Copy window and caches."""
        copy = EncoderStream(self._model, self._shape)
        copy.window[:] = self.window
        copy._processed[:] = self._processed
        for ours, theirs in zip(self._states[self._turn], copy._states[0], strict=True):
            theirs[...] = ours
        return copy

    def encode(self) -> Array:
        """Encode the window; (S / 4, D), overwritten by the next call."""
        if self._calls is None:
            self._calls = [self._bind(0), self._bind(1)]
        self._calls[self._turn]()
        self._turn ^= 1
        self._processed += self._shape.chunk_shift
        frames: Array = self._encoder_out[0]
        return frames

    def _bind(self, turn: int) -> BoundCall:
        counter = [self._processed] if self._shape.caller_counts else []
        inputs = [self.window[None], *self._states[turn], *counter]
        return self._model.bind(inputs, [self._encoder_out, *self._states[turn ^ 1]])
