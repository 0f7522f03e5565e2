"""What every model family provides: shared weights, and private state per utterance."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from wyoming_stt.decoding.hypothesis import Hypothesis
from wyoming_stt.decoding.options import SearchOptions
from wyoming_stt.ort import OrtOptions
from wyoming_stt.text.tokens import TokenTable
from wyoming_stt.types import Samples

__all__ = ["Family", "ModelInfo", "Recognizer", "RecognizerStream"]


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Facts about a loaded model that the layers above need."""

    name: str
    """What clients call it: the folder's name."""
    family: str
    languages: tuple[str, ...]
    """Plain codes ("en", "zh") of the languages it was trained on."""
    streaming: bool
    """Whether words come while audio still arrives; an offline model answers at the end."""
    frame_samples: int
    """Samples per encoder frame (640: 40 ms)."""
    chunk_samples: int
    """Samples per encoder chunk; cutting leading audio at multiples of it keeps chunks aligned."""
    vocab_size: int
    precision: str | None = None
    """Of the encoder's weights ("int8"); None where there are none."""
    version: str | None = None
    """Version, and checksum of the largest file, as installed; None for a folder that came from
    elsewhere."""
    sha256: str | None = None


class RecognizerStream(Protocol):
    """One utterance inside a model. Not thread-safe; two streams never share state."""

    def push(self, samples: Samples) -> Hypothesis:
        """Take audio, shape (N,), run the encoder on every chunk that is complete."""
        ...

    def finish(self) -> Hypothesis:
        """Decode to the last real sample, with the tail of silence the model needs. Idempotent."""
        ...

    def fork(self) -> "RecognizerStream":
        """Copy the state; pushing to either leaves the other as it was."""
        ...


class Recognizer(Protocol):
    """Loaded weights, shared by all streams and safe to use from several threads."""

    @property
    def info(self) -> ModelInfo:
        """Facts about the model."""
        ...

    @property
    def tokens(self) -> TokenTable:
        """Its vocabulary."""
        ...

    def open(self, options: SearchOptions) -> RecognizerStream:
        """Begin an utterance."""
        ...


class Family(Protocol):
    """A kind of architecture: recognises its folders and loads them. One entry point each."""

    @property
    def name(self) -> str:
        """The family's name, as in the entry point."""
        ...

    def matches(self, folder: Path | None) -> bool:
        """Tell whether this family reads the folder (None: a model that needs no files)."""
        ...

    def load(
        self, folder: Path | None, *, languages: Sequence[str], options: OrtOptions
    ) -> Recognizer:
        """Load the weights.

        Raises:
            ModelFileError: a file is missing, damaged, or not what the family needs.
        """
        ...
