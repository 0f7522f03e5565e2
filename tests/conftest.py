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
def clean_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No setting of the developer's own reaches a test, nor the programs it starts.

    What these keep is kept among the tests' own files, and what they serve is what is there.
    """
    for name in list(os.environ):
        if name.startswith(ENV_PREFIX):
            monkeypatch.delenv(name)
    monkeypatch.setenv(f"{ENV_PREFIX}DATA_DIR", str(tmp_path_factory.getbasetemp() / "data"))
    monkeypatch.setenv(f"{ENV_PREFIX}UPGRADE__ENABLED", "false")
