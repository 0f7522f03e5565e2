"""A streaming transducer: features by the chunk, encoder, search; the loop of all icefall families.

A chunk of T feature frames goes in, S of them are consumed, S / 4 encoder frames come out. After
the last of R real frames, silence is appended until every real frame has been in a chunk: with
n = ceil(R / S) chunks that takes (n - 1) S + T frames in all.
"""

from pathlib import Path

import numpy as np

from wyoming_stt.decoding.hypothesis import Hypothesis
from wyoming_stt.decoding.options import SearchOptions
from wyoming_stt.decoding.search import Search, SearchFactory
from wyoming_stt.features.fbank import FRAME_SHIFT, FbankStream, samples_for
from wyoming_stt.models.base import ModelInfo
from wyoming_stt.models.encoder import EncoderStream
from wyoming_stt.models.files import find
from wyoming_stt.models.joint import JointWeights, OrtJoint
from wyoming_stt.models.metadata import SUBSAMPLING_FACTOR, StreamingShape, streaming_shape
from wyoming_stt.ort import OrtModel, OrtOptions
from wyoming_stt.text.tokens import TokenTable
from wyoming_stt.types import Samples

__all__ = ["StreamingTransducer", "TransducerStream"]


class StreamingTransducer:
    """Weights of one streaming model."""

    def __init__(
        self,
        folder: Path,
        *,
        family: str,
        languages: tuple[str, ...],
        options: OrtOptions,
        caller_counts: bool = False,
    ) -> None:
        """Load a folder; `caller_counts` for graphs that are told how many frames went before.

        Raises:
            ModelFileError: a file is missing, damaged, or not what the family needs.
        """
        files = find(folder)
        self.tokens = TokenTable.read(files.tokens)
        self.encoder = OrtModel(files.encoder, options)
        self.weights = JointWeights(files, self.tokens, options)
        self.shape = streaming_shape(
            self.encoder, self.weights.joiner_dim, caller_counts=caller_counts
        )
        self._searches = SearchFactory(self.tokens, files.bpe_model, files.language_model)
        self.info = ModelInfo(
            name=folder.resolve().name,
            family=family,
            languages=languages,
            streaming=True,
            frame_samples=SUBSAMPLING_FACTOR * FRAME_SHIFT,
            chunk_samples=self.shape.chunk_shift * FRAME_SHIFT,
            vocab_size=len(self.tokens),
            precision=files.precision,
        )

    def open(self, options: SearchOptions) -> "TransducerStream":
        """Begin an utterance."""
        search = self._searches.open(OrtJoint(self.weights), options)
        return TransducerStream(self, EncoderStream(self.encoder, self.shape), search)


class TransducerStream:
    """One utterance in a streaming transducer."""

    def __init__(
        self, recognizer: StreamingTransducer, encoder: EncoderStream, search: Search
    ) -> None:
        self._recognizer = recognizer
        self._shape: StreamingShape = recognizer.shape
        self._encoder = encoder
        self._search = search
        self._fbank = FbankStream()
        self._num_samples = 0
        self._num_chunks = 0
        self._finished = False
        self._hypothesis = search.hypothesis()

    def push(self, samples: Samples) -> Hypothesis:
        """Take audio and decode every chunk that is complete."""
        self._num_samples += len(samples)
        self._fbank.push(samples)
        return self._decode()

    def finish(self) -> Hypothesis:
        """Append the silence that the last real frame needs, and decode it."""
        if not self._finished:
            self._finished = True
            self._fbank.push(np.zeros(self._tail_samples(), np.float32))
            self._decode()
            self._search.finish()
            self._hypothesis = self._search.hypothesis()
        return self._hypothesis

    def fork(self) -> "TransducerStream":
        """Copy everything that an utterance owns."""
        joint = OrtJoint(self._recognizer.weights)
        copy = TransducerStream(self._recognizer, self._encoder.fork(), self._search.fork(joint))
        copy._fbank = self._fbank.copy()
        copy._num_samples, copy._num_chunks = self._num_samples, self._num_chunks
        copy._finished, copy._hypothesis = self._finished, self._hypothesis
        return copy

    def _decode(self) -> Hypothesis:
        shape, window = self._shape, self._encoder.window
        overlap = shape.chunk_size - shape.chunk_shift
        before = self._num_chunks
        while True:
            # The same blocks whatever the pushes were, so that not even rounding can differ.
            wanted = shape.chunk_shift if self._num_chunks else shape.chunk_size
            if self._fbank.num_ready < wanted:
                break
            if self._num_chunks:
                window[:overlap] = window[shape.chunk_shift :]
            window[-wanted:] = self._fbank.take(wanted)
            self._num_chunks += 1
            self._search.advance(self._encoder.encode())
        if self._num_chunks > before:
            self._hypothesis = self._search.hypothesis()
        return self._hypothesis

    def _tail_samples(self) -> int:
        real_frames = -(-self._num_samples // FRAME_SHIFT)
        chunks = -(-real_frames // self._shape.chunk_shift)
        if chunks == 0:
            return 0
        frames = (chunks - 1) * self._shape.chunk_shift + self._shape.chunk_size
        return max(0, samples_for(frames) - self._num_samples)
