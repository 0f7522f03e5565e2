"""Predictor and joiner of an icefall transducer, on onnxruntime."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from wyoming_stt.decoding.joint import Context, Logits
from wyoming_stt.errors import ModelFileError
from wyoming_stt.models.files import TransducerFiles
from wyoming_stt.models.metadata import expect_size
from wyoming_stt.ort import OrtModel, OrtOptions
from wyoming_stt.text.tokens import TokenTable

__all__ = ["JointWeights", "OrtJoint"]

_CACHED_CONTEXTS = 2048
"""Predictor outputs kept: 2 to 4 MB with the usual 320 to 512 floats each."""


class JointWeights:
    """The two graphs, shared. The predictor looks at token ids alone, so its outputs are cached."""

    def __init__(self, files: TransducerFiles, tokens: TokenTable, options: OrtOptions) -> None:
        """Load and check the graphs.

        Raises:
            ModelFileError: a graph is damaged, or does not fit the other or the tokens.
        """
        self._decoder = OrtModel(files.decoder, options)
        self.joiner = OrtModel(files.joiner, options)
        self.context_size = self._decoder.metadata_int("context_size")
        self.vocab_size = self._decoder.metadata_int("vocab_size")
        self.joiner_dim = self.joiner.metadata_int("joiner_dim")
        if len(tokens) < self.vocab_size:
            expected = f"{self.vocab_size} tokens, as {files.decoder.name} says"
            raise ModelFileError(files.tokens, expected, str(len(tokens)))
        for spec in self.joiner.inputs:
            what = f"values in {spec.name}, as its metadata says"
            expect_size(files.joiner, what, self.joiner_dim, spec.shape[-1])
        what = f"values in decoder_out, as {files.joiner.name} says"
        expect_size(files.decoder, what, self.joiner_dim, self._decoder.outputs[0].shape[-1])
        what = f"values in logit, as {files.decoder.name} says"
        expect_size(files.joiner, what, self.vocab_size, self.joiner.outputs[0].shape[-1])
        unk_id = tokens.id_of("<unk>")
        self.unk_id = -1 if unk_id is None else unk_id
        self.predict = lru_cache(_CACHED_CONTEXTS)(self._predict)

    def _predict(self, context: Context) -> Logits:
        (out,) = self._decoder.run(np.array([context], self._decoder.inputs[0].dtype))
        row: Logits = out[0]
        return row


class OrtJoint:
    """The joiner bound to the buffers of one utterance."""

    blank_id = 0

    def __init__(self, weights: JointWeights) -> None:
        self._weights = weights
        self.unk_id = weights.unk_id
        self.start: Context = (*[-1] * (weights.context_size - 1), 0)
        self._encoder_row = np.zeros((1, weights.joiner_dim), np.float32)
        self._decoder_row = np.zeros((1, weights.joiner_dim), np.float32)
        self._logits = np.zeros((1, weights.vocab_size), np.float32)
        self._row: Logits = self._logits[0]
        self._context: Context | None = None
        self._call = weights.joiner.bind((self._encoder_row, self._decoder_row), (self._logits,))

    def logits(self, frame: Logits, context: Context) -> Logits:
        """Score one frame for one context; the array is overwritten by the next call."""
        if context != self._context:
            self._decoder_row[0] = self._weights.predict(context)
            self._context = context
        self._encoder_row[0] = frame
        self._call()
        return self._row

    def logits_batch(self, frame: Logits, contexts: Sequence[Context]) -> Logits:
        """Score one frame for several contexts, shape (H, V)."""
        decoder_out = np.stack([self._weights.predict(context) for context in contexts])
        encoder_out = np.broadcast_to(frame, decoder_out.shape)
        outputs = self._weights.joiner.run(np.ascontiguousarray(encoder_out), decoder_out)
        logits: Logits = outputs[0]
        return logits
