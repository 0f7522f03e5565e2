"""What the streaming families of icefall have in common: all but the name is in the metadata."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wyoming_stt.models.base import Recognizer
from wyoming_stt.models.files import find
from wyoming_stt.models.transducer import StreamingTransducer
from wyoming_stt.ort import OrtOptions, read_metadata

__all__ = ["StreamingFamily"]


@dataclass(frozen=True, slots=True)
class StreamingFamily:
    """A streaming encoder told by `model_type`, whose caches are inputs and outputs in one order."""

    name: str
    caller_counts: bool = False
    """Whether `processed_lens` is counted by the caller (conformer) or kept by the graph."""

    def matches(self, folder: Path | None) -> bool:
        """Recognise a folder by its encoder's metadata."""
        if folder is None:
            return False
        metadata = read_metadata(find(folder).encoder)
        return metadata.get("model_type") == self.name and "decode_chunk_len" in metadata

    def load(
        self, folder: Path | None, *, languages: Sequence[str], options: OrtOptions
    ) -> Recognizer:
        """Load the weights."""
        assert folder is not None  # noqa: S101 - `matches` says so
        return StreamingTransducer(
            folder,
            family=self.name,
            languages=tuple(languages),
            options=options,
            caller_counts=self.caller_counts,
        )
