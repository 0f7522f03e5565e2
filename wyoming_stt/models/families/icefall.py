"""What the streaming families of icefall have in common: all but the name is in the metadata."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wyoming_stt.errors import ModelFileError
from wyoming_stt.models.base import Recognizer
from wyoming_stt.models.files import find
from wyoming_stt.models.onnx_metadata import read_metadata
from wyoming_stt.models.transducer import StreamingTransducer
from wyoming_stt.ort import OrtOptions

__all__ = ["StreamingFamily"]


@dataclass(frozen=True, slots=True)
class StreamingFamily:
    """A streaming encoder, told by `model_type`, whose caches go in and come out in one order."""

    name: str
    caller_counts: bool = False
    """Whether the caller counts `processed_lens` (conformer) or the graph keeps it as a cache."""

    def matches(self, folder: Path | None) -> bool:
        """Recognise a folder by its encoder's metadata."""
        if folder is None:
            return False
        metadata = read_metadata(find(folder).encoder)
        return metadata.get("model_type") == self.name and "decode_chunk_len" in metadata

    def load(
        self, folder: Path | None, *, languages: Sequence[str], options: OrtOptions
    ) -> Recognizer:
        """Load the weights.

        Raises:
            ModelFileError: a file is damaged, or wants features other than Kaldi's fbank.
        """
        assert folder is not None  # noqa: S101 - `matches` has seen to it
        encoder = find(folder).encoder
        feature = read_metadata(encoder).get("feature", "")
        if feature:
            raise ModelFileError(encoder, "a model on Kaldi fbank features", f"feature={feature}")
        return StreamingTransducer(
            folder,
            family=self.name,
            languages=tuple(languages),
            options=options,
            caller_counts=self.caller_counts,
        )
