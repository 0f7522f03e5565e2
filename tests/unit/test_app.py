from pathlib import Path
from urllib.parse import urlsplit

import pytest

from wyoming_stt.app import _is_shared, _languages, choose_model
from wyoming_stt.errors import ModelFileError, SettingsError
from wyoming_stt.settings import ModelSettings, Settings
from wyoming_stt.store import Manifest, ModelStore


@pytest.fixture
def builtin(tmp_path: Path) -> Path:
    (tmp_path / "home-en").mkdir()
    (tmp_path / "home-da").mkdir()
    return tmp_path


def test_the_model_in_the_package_is_the_default(builtin: Path) -> None:
    assert choose_model(ModelSettings(), builtin) == builtin / "home-en"
    assert choose_model(ModelSettings(name="home-da"), builtin) == builtin / "home-da"


def test_a_folder_of_ones_own_wins_over_the_default(builtin: Path, tmp_path: Path) -> None:
    assert choose_model(ModelSettings(dir=tmp_path), builtin) == tmp_path


def test_the_fake_needs_no_folder(tmp_path: Path) -> None:
    assert choose_model(ModelSettings(name="fake"), tmp_path) == "fake"


def test_an_unknown_name_is_answered_with_the_known_ones(builtin: Path) -> None:
    with pytest.raises(SettingsError, match="'home-fr' in this package: fake, home-da, home-en"):
        choose_model(ModelSettings(name="home-fr"), builtin)


@pytest.mark.parametrize("name", ["../home-en", "/", ".", ""])
def test_a_name_is_not_a_path(builtin: Path, name: str) -> None:
    with pytest.raises(SettingsError):
        choose_model(ModelSettings(name=name), builtin / "home-en")


def test_name_and_folder_contradict_each_other(builtin: Path) -> None:
    with pytest.raises(SettingsError, match="choose one"):
        choose_model(ModelSettings(name="home-en", dir=builtin), builtin)


def test_a_folder_that_is_absent_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="absent: expected a folder"):
        choose_model(ModelSettings(dir=tmp_path / "absent"), tmp_path)


@pytest.mark.parametrize(
    ("address", "shared"),
    [
        ("tcp://0.0.0.0:10300", True),
        ("tcp://192.0.2.7:10300", True),
        ("tcp://[::]:10300", True),
        ("tcp://[fe80::1%eth0]:10300", True),
        ("tcp://127.0.0.1:10300", False),
        ("tcp://[::1]:10300", False),
        ("unix:///run/stt.sock", False),
        ("stdio://", False),
    ],
)
def test_who_can_reach_an_address(address: str, *, shared: bool) -> None:
    assert _is_shared(urlsplit(address)) is shared


def test_an_installed_model_is_found_by_its_name(tmp_path: Path, builtin: Path) -> None:
    store = ModelStore(tmp_path / "data")
    own = tmp_path / "own"
    own.mkdir()
    (own / "tokens.txt").write_text("a 0", encoding="utf-8")
    facts = Manifest(
        id="mine",
        version="1",
        family="zipformer2",
        languages=("cy",),
        licence="mine",
        source=str(own),
        installed_at="2026-11-01T00:00:00+00:00",
    )
    folder = store.add(own, facts).folder
    assert choose_model(ModelSettings(name="mine"), builtin, store) == folder
    settings = Settings(model=ModelSettings(name="mine"))
    assert _languages(folder, settings) == ("cy",)
    assert _languages(builtin, settings) == ("en",)
    chosen = Settings(model=ModelSettings(name="mine", languages=("de",)))
    assert _languages(folder, chosen) == ("de",)


def test_a_model_of_the_catalogue_says_how_it_is_installed(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="not installed: wyoming-stt models pull kroko-de"):
        choose_model(ModelSettings(name="kroko-de"), tmp_path, ModelStore(tmp_path))
