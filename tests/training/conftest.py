"""The recipe needs the extra `[train]`; without it these tests are skipped."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

if TYPE_CHECKING:
    from training.reader import TeacherReader

TINY_DIM = 16
TOKENS, DIMS = 7, 8
"""Of the tiny teacher."""
NEEDED = (
    "torch",
    "sentencepiece",
    "onnx",
    "hassil",
    "home_assistant_intents",
    "num2words",
    "rapidfuzz",
    "matplotlib",
    "sherpa_onnx",
)
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]

collect_ignore_glob = ["test_*.py"] if MISSING else []


@pytest.fixture
def tiny_pieces(tmp_path: Path) -> Path:
    """A word piece model of a handful of commands."""
    from training.prepare import train_pieces  # noqa: PLC0415 - needs the extra

    words = ("turn on", "turn off", "the light", "lamp", "in", "kitchen", "close", "door", "set")
    rng = random.Random(1)
    sentences = [" ".join(rng.choices(words, k=5)) for _ in range(200)]
    train_pieces(sentences, str(tmp_path / "bpe"), vocab_size=48)
    return tmp_path / "bpe.model"


@pytest.fixture
def reader() -> TeacherReader:
    """A teacher's predictor and joiner, of random weights."""
    from training.reader import TeacherReader  # noqa: PLC0415 - needs the extra

    rng = np.random.default_rng(1)
    predictor = {
        "decoder.embedding.weight": (TOKENS, DIMS),
        "decoder.conv.weight": (DIMS, 4, 2),
        "decoder_proj.weight": (DIMS, DIMS),
        "decoder_proj.bias": (DIMS,),
    }
    joiner = {"output_linear.weight": (TOKENS, DIMS), "output_linear.bias": (TOKENS,)}
    return TeacherReader(*(_drawn(shapes, rng) for shapes in (predictor, joiner)))


def _drawn(
    shapes: dict[str, tuple[int, ...]], rng: np.random.Generator
) -> dict[str, NDArray[np.float32]]:
    return {name: rng.standard_normal(size).astype(np.float32) for name, size in shapes.items()}
