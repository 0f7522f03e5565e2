"""What every test runs under."""

import os
from importlib.metadata import version

import pytest

from wyoming_stt.sources import ENV_PREFIX


def pytest_report_header() -> str:
    packages = ("numpy", "onnxruntime", "wyoming", "soxr")
    return "with: " + ", ".join(f"{package} {version(package)}" for package in packages)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the developer's own reaches a test, nor the programs it starts."""
    for name in list(os.environ):
        if name.startswith(ENV_PREFIX):
            monkeypatch.delenv(name)
