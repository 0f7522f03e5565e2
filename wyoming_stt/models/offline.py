"""An offline transducer behind the streaming interface: it listens, and answers at the end."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from wyoming_stt.decoding.hypothesis import EMPTY, Hypothesis
from wyoming_stt.decoding.options import SearchOptions
from wyoming_stt.decoding.search import SearchFactory
from wyoming_stt.errors import ModelFileError
from wyoming_stt.features.fbank import FRAME_SHIFT, NUM_MELS, batch
from wyoming_stt.models.base import ModelInfo
from wyoming_stt.models.files import find
from wyoming_stt.models.joint import JointWeights, OrtJoint
from wyoming_stt.models.metadata import SUBSAMPLING_FACTOR, expect_size
from wyoming_stt.ort import OrtModel, OrtOptions
from wyoming_stt.text.tokens import TokenTable
from wyoming_stt.types import Samples

__all__ = ["BufferedStream", "OfflineTransducer"]

_MIN_FEATURE_FRAMES = 9
"""The convolutions in front leave ((T - 7) // 2 + 1) // 2 frames: fewer give none at all."""


class OfflineTransducer:
    """Weights of one offline model."""

    def __init__(self, folder: Path, *, languages: tuple[str, ...], options: OrtOptions) -> None:
        """Load a folder.

        Raises:
            ModelFileError: a file is missing, damaged, or not of an offline transducer.
        """
        files = find(folder)
        self.tokens = TokenTable.read(files.tokens)
        self._encoder = OrtModel(files.encoder, options)
        if [spec.name for spec in self._encoder.inputs] != ["x", "x_lens"]:
            found = ", ".join(spec.name for spec in self._encoder.inputs)
            raise ModelFileError(files.encoder, "inputs x, x_lens", found)
        expect_size(files.encoder, "features in x", NUM_MELS, self._encoder.inputs[0].shape[-1])
        self._weights = JointWeights(files, self.tokens, options)
        values = self._encoder.outputs[0].shape[-1]
        expect_size(files.encoder, "values in encoder_out", self._weights.joiner_dim, values)
        self._searches = SearchFactory(self.tokens, files.bpe_model, files.language_model)
        self.info = ModelInfo(
            name=folder.resolve().name,
            family="offline",
            languages=languages,
            streaming=False,
            frame_samples=SUBSAMPLING_FACTOR * FRAME_SHIFT,
            chunk_samples=FRAME_SHIFT,
            vocab_size=len(self.tokens),
            precision=files.precision,
        )

    def open(self, options: SearchOptions) -> "BufferedStream":
        """Begin an utterance."""
        return BufferedStream(lambda samples: self._recognize(samples, options))

    def _recognize(self, samples: Samples, options: SearchOptions) -> Hypothesis:
        features = batch(samples)
        if len(features) < _MIN_FEATURE_FRAMES:
            return EMPTY
        search = self._searches.open(OrtJoint(self._weights), options)
        lengths = np.array([len(features)], self._encoder.inputs[1].dtype)
        encoder_out, out_lengths, *_ = self._encoder.run(features[None], lengths)
        search.advance(encoder_out[0, : out_lengths[0]])
        search.finish()
        return search.hypothesis()


class BufferedStream:
    """Keeps the audio of one utterance until its end."""

    def __init__(self, recognize: Callable[[Samples], Hypothesis]) -> None:
        self._recognize = recognize
        self._pieces: list[Samples] = []
        self._hypothesis: Hypothesis | None = None

    def push(self, samples: Samples) -> Hypothesis:
        """Keep the audio; nothing is known before the end."""
        self._pieces.append(samples.copy())
        return EMPTY

    def finish(self) -> Hypothesis:
        """Recognise everything."""
        if self._hypothesis is None:
            self._hypothesis = self._recognize(np.concatenate([*self._pieces, _NOTHING]))
            self._pieces.clear()
        return self._hypothesis

    def fork(self) -> "BufferedStream":
        """Copy the list of pieces, which are never changed."""
        copy = BufferedStream(self._recognize)
        copy._pieces = self._pieces.copy()
        copy._hypothesis = self._hypothesis
        return copy


_NOTHING = np.zeros(0, np.float32)
