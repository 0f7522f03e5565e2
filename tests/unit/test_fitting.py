"""A model that there is no memory for is not loaded; the limit need not be ours."""

import resource
from pathlib import Path

import pytest

from tests.support.onnx_models import build
from wyoming_stt import fitting
from wyoming_stt.errors import ModelFileError, ModelTooLargeError
from wyoming_stt.fitting import MEMORY_FACTOR, load_fitting
from wyoming_stt.memory import available_bytes, resident_bytes
from wyoming_stt.models.files import find


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("zipformer2", tmp_path_factory.mktemp("model") / "small", seed=1)


def test_a_model_that_fits_is_loaded(model: Path) -> None:
    assert load_fitting(model, languages=["en"]).info.name == "small"


def test_one_that_does_not_is_not(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = int(MEMORY_FACTOR * find(model).num_bytes)
    monkeypatch.setattr(fitting, "available_bytes", lambda: needed - 1)
    with pytest.raises(ModelTooLargeError, match="smaller model"):
        load_fitting(model, languages=["en"])
    for enough in (needed, None):
        monkeypatch.setattr(fitting, "available_bytes", lambda enough=enough: enough)
        load_fitting(model, languages=["en"])


def test_weights_beside_a_graph_count(model: Path, tmp_path: Path) -> None:
    for file in model.iterdir():
        (tmp_path / file.name).symlink_to(file)
    before = find(tmp_path).num_bytes
    encoder = find(tmp_path).encoder
    encoder.with_name(f"{encoder.name}.data").write_bytes(bytes(1000))
    assert find(tmp_path).num_bytes == before + 1000


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="absent"):
        load_fitting(tmp_path / "absent", languages=["en"])


def test_the_model_without_files_always_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "available_bytes", lambda: 0)
    assert load_fitting("fake", languages=["en"]).info.name == "fake"


def test_what_is_available_is_known_and_less_than_there_is() -> None:
    available = available_bytes()
    assert available is not None
    assert available > 0
    assert resident_bytes() > 10_000_000


def test_a_limit_of_the_process_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    before = available_bytes()
    assert before is not None
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1, resource.RLIM_INFINITY))
    assert available_bytes() == 0
