"""The recipe needs the extra `[train]`; without it these tests are skipped."""

import importlib.util
import random
from pathlib import Path

import pytest

TINY_DIM = 16
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
