"""Ways in which a model folder can be broken. Each changes a built folder in place."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import onnx

from tests.support.onnx_models.folder import JOINER_DIM, save
from tests.support.onnx_models.predictor import joiner
from tests.support.onnx_models.vocabulary import Vocabulary

__all__ = [
    "BREAKS",
    "break_joiner_dim",
    "break_missing_metadata",
    "break_missing_tokens",
    "break_model_type",
    "break_token_hole",
    "break_truncated_encoder",
]


def break_truncated_encoder(folder: Path) -> None:
    """Cut the encoder in half, as a download that stopped."""
    for path in folder.glob("encoder*.onnx"):
        contents = path.read_bytes()
        path.write_bytes(contents[: len(contents) // 2])


def break_missing_metadata(folder: Path, key: str = "vocab_size") -> None:
    """Take one entry out of the metadata of whichever model has it."""
    found = False
    for path in folder.glob("*.onnx"):
        model = onnx.load(path)
        kept = [entry for entry in model.metadata_props if entry.key != key]
        if len(kept) < len(model.metadata_props):
            found = True
            _set_metadata(path, model, {entry.key: entry.value for entry in kept})
    if not found:
        raise KeyError(key)


def break_model_type(folder: Path, model_type: str = "transformer") -> None:
    """Say that the encoder is of a kind that nobody knows."""
    for path in folder.glob("encoder*.onnx"):
        model = onnx.load(path)
        metadata = {entry.key: entry.value for entry in model.metadata_props}
        _set_metadata(path, model, metadata | {"model_type": model_type})


def break_joiner_dim(folder: Path) -> None:
    """Put a joiner there, sound in itself, that is wider than the encoder and the decoder."""
    pieces = (folder / "tokens.txt").read_text(encoding="utf-8").splitlines()
    bytes_fallback = any(line.startswith("<0x00> ") for line in pieces)
    vocabulary = Vocabulary.make(len(pieces) - 256 * bytes_fallback, bytes_fallback=bytes_fallback)
    wider = joiner(vocabulary, JOINER_DIM + 8, np.random.default_rng(0))
    save(wider, folder / "joiner.onnx", int8=(folder / "joiner.int8.onnx").exists())


def break_missing_tokens(folder: Path) -> None:
    """Remove `tokens.txt`."""
    (folder / "tokens.txt").unlink()


def break_token_hole(folder: Path) -> None:
    """Leave one id in the middle of `tokens.txt` without a piece."""
    path = folder / "tokens.txt"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    del lines[len(lines) // 2]
    path.write_text("".join(lines), encoding="utf-8")


BREAKS: Final[tuple[Callable[[Path], None], ...]] = (
    break_truncated_encoder,
    break_missing_metadata,
    break_model_type,
    break_joiner_dim,
    break_missing_tokens,
    break_token_hole,
)


def _set_metadata(path: Path, model: onnx.ModelProto, metadata: dict[str, str]) -> None:
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, path)
