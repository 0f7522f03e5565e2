from collections.abc import Iterator

import pytest

from tests.support.hostile_http import HostileServer, hostile_server


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with hostile_server() as running:
        yield running
