"""The program on the scripted model, one for all tests of a module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.program import server, write_recording
from tests.support.uploads import Held


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Of its HTTP door."""
    with server("--model", "fake", patience_s=120) as running:
        yield running.http()


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six words long."""
    return write_recording(tmp_path_factory.mktemp("http") / "recording.wav")


@pytest.fixture
def held() -> Iterator[Held]:
    """A model that is let go at the end, whatever happened."""
    model = Held()
    model.may_go_on.set()  # for the warm-up
    yield model
    model.may_go_on.set()
