from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fetching import Fetch
from tests.support.hostile_http import HostileServer, hostile_server
from tests.support.pulling import QUICK
from wyoming_stt.store import ModelStore


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with hostile_server() as running:
        yield running


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path, QUICK)


@pytest.fixture
def fetch(server: HostileServer, tmp_path: Path) -> Fetch:
    return Fetch(server, tmp_path)
