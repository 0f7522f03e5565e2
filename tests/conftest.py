"""What every test runs under."""

import os
from importlib.metadata import version

import pytest
from hypothesis import settings

from wyoming_stt.sources import ENV_PREFIX

# How long an example takes says nothing on a machine that others use, too.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_report_header() -> str:
    packages = ("numpy", "onnxruntime", "wyoming", "soxr")
    return "with: " + ", ".join(f"{package} {version(package)}" for package in packages)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the developer's own reaches a test, nor the programs it starts."""
    for name in list(os.environ):
        if name.startswith(ENV_PREFIX):
            monkeypatch.delenv(name)
