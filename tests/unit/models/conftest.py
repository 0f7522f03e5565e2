"""Folders of random models, each built once."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.support.onnx_models import build


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Build a family's folder, which no test may change."""
    base = tmp_path_factory.mktemp("models")
    return cache(lambda family: build(family, base / family))
