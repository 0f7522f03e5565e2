"""Offline transducers of icefall and Vosk (zipformer, zipformer2, conformer): no caches at all."""

from collections.abc import Sequence
from pathlib import Path

from wyoming_stt.models.base import Recognizer
from wyoming_stt.models.files import find
from wyoming_stt.models.offline import OfflineTransducer
from wyoming_stt.models.onnx_metadata import read_metadata
from wyoming_stt.ort import OrtOptions

__all__ = ["FAMILY", "OfflineFamily"]

_MODEL_TYPES = ("zipformer2", "zipformer", "conformer")


class OfflineFamily:
    """An encoder of a streaming family's `model_type` that has no `decode_chunk_len`."""

    name = "offline"

    def matches(self, folder: Path | None) -> bool:
        """Recognise a folder by its encoder's metadata."""
        if folder is None:
            return False
        metadata = read_metadata(find(folder).encoder)
        return metadata.get("model_type") in _MODEL_TYPES and "decode_chunk_len" not in metadata

    def load(
        self, folder: Path | None, *, languages: Sequence[str], options: OrtOptions
    ) -> Recognizer:
        """Load the weights."""
        assert folder is not None  # noqa: S101 - `matches` has seen to it
        return OfflineTransducer(folder, languages=tuple(languages), options=options)


FAMILY = OfflineFamily()
