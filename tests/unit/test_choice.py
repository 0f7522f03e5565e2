"""Which model is chosen, what stands behind it, and what is to be fetched."""

from pathlib import Path

import pytest

from tests.support.installed import install
from tests.support.onnx_models import build
from wyoming_stt import choice as choice_module
from wyoming_stt import fitting
from wyoming_stt.choice import BUILTIN, Choice, choose
from wyoming_stt.errors import ModelFileError, NotInstalledError, SettingsError
from wyoming_stt.hardware import Hardware
from wyoming_stt.settings import ModelSettings, Settings
from wyoming_stt.store import ModelStore, StoreOptions

WELSH = """
[welsh]
title = "Welsh"
family = "zipformer2"
streaming = true
languages = ["cy"]
version = "1"
licence = "MIT"
memory = "small"
speed = "fast"
base = "https://models.example/welsh"
files = [{ path = "tokens.txt" }]
"""
DESK = Hardware("a desktop", 8, ("avx2", "fma"), 16 << 30, "x86_64")


@pytest.fixture(autouse=True)
def desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice_module, "detect", lambda: DESK)
    monkeypatch.setattr(choice_module, "providers", lambda: ["CPUExecutionProvider"])


@pytest.fixture
def builtin(tmp_path: Path) -> Path:
    for name in ("home-en", "home-da"):
        (tmp_path / "builtin" / name).mkdir(parents=True)
    return tmp_path / "builtin"


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "data")


def chosen(store: ModelStore, builtin: Path, *, offline: bool = False, **model: object) -> Choice:
    options = StoreOptions(offline=offline)
    settings = Settings(data_dir=store.data_dir, model=ModelSettings(**model), store=options)
    return choose(settings, ModelStore(store.data_dir, options), builtin)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return build("zipformer2", tmp_path / "own", seed=1)


def test_what_ships_inside_serves_until_a_better_model_is_there(
    builtin: Path, store: ModelStore
) -> None:
    found = chosen(store, builtin)
    assert (found.chosen.name, found.languages) == ("home-en", ("en",))
    assert found.wanted is not None
    assert found.wanted.languages == ("en",)
    assert found.wanted.id in found.reason


def test_what_ships_inside_keeps_its_language(store: ModelStore) -> None:
    found = chosen(store, BUILTIN, languages=("ko",))
    assert (found.chosen.name, found.languages) == ("home-en", ("en",))
    assert found.wanted is not None
    assert found.wanted.languages == ("ko",)
    assert found.chosen.load().info.languages == ("en",)
    own = chosen(store, BUILTIN, dir=BUILTIN / "home-da", languages=("da",))
    assert own.fallback is not None
    assert own.fallback.load().info.languages == ("en",)


def test_the_better_model_is_chosen_once_it_is_installed(
    builtin: Path, store: ModelStore, model: Path
) -> None:
    wanted = chosen(store, builtin).wanted
    assert wanted is not None
    install(store, wanted.id, model, wanted.version)
    found = chosen(store, builtin)
    assert (found.chosen.name, found.fallback and found.fallback.name) == (wanted.id, "home-en")
    assert found.wanted is None


def test_a_newer_version_is_wanted(builtin: Path, store: ModelStore, model: Path) -> None:
    wanted = chosen(store, builtin).wanted
    assert wanted is not None
    install(store, wanted.id, model, "before")
    assert chosen(store, builtin).wanted == wanted


def test_a_version_that_somebody_went_back_from_is_not_wanted(
    builtin: Path, store: ModelStore, model: Path
) -> None:
    wanted = chosen(store, builtin).wanted
    assert wanted is not None
    install(store, wanted.id, model, "before")
    install(store, wanted.id, model, wanted.version)
    store.rollback(wanted.id)
    for name in (None, wanted.id):
        found = chosen(store, builtin, name=name)
        assert (found.chosen.load().info.version, found.wanted) == ("before", None)
    install(store, wanted.id, model, "between")
    store.rollback(wanted.id)
    assert chosen(store, builtin).wanted is None


def test_a_packaged_model_by_name(builtin: Path, store: ModelStore) -> None:
    found = chosen(store, builtin, name="home-da")
    assert (found.chosen.name, found.wanted) == ("home-da", None)


@pytest.mark.parametrize("name", [None, "home-en"])
def test_what_ships_inside_is_tried_on_the_tightest_machine(
    builtin: Path, store: ModelStore, monkeypatch: pytest.MonkeyPatch, name: str | None
) -> None:
    monkeypatch.setattr(fitting, "available_bytes", lambda: 0)
    build("zipformer2", builtin / "home-en", seed=1)
    assert chosen(store, builtin, name=name).chosen.load()


@pytest.mark.parametrize("model", [{}, {"name": "fake"}, {"name": "home-da"}, {"name": "kroko-de"}])
def test_what_ships_inside_stands_behind_every_model(
    builtin: Path, store: ModelStore, model: dict[str, str]
) -> None:
    inside = chosen(store, builtin, name="home-en").chosen
    assert chosen(store, builtin, **model).fallback == inside
    assert chosen(store, builtin).chosen == inside
    assert chosen(store, builtin, name="home-da").chosen != inside


def test_a_folder_of_ones_own(builtin: Path, store: ModelStore, model: Path) -> None:
    found = chosen(store, builtin, dir=model, languages=("de",))
    assert (found.chosen.name, found.languages) == (model.name, ("de",))
    assert found.fallback is not None
    assert found.chosen.load().info.languages == ("de",)


def test_a_folder_that_is_absent_is_waited_for(
    builtin: Path, store: ModelStore, tmp_path: Path
) -> None:
    found = chosen(store, builtin, dir=tmp_path / "absent")
    assert found.fallback is not None
    with pytest.raises(ModelFileError, match="absent: expected a folder"):
        found.chosen.load()
    build("zipformer2", tmp_path / "absent", seed=1)
    assert found.chosen.load()


def test_a_folder_that_is_absent_is_an_error_where_nothing_ships_inside(
    store: ModelStore, tmp_path: Path
) -> None:
    with pytest.raises(ModelFileError, match="absent: expected a folder"):
        chosen(store, tmp_path, dir=tmp_path / "absent")


def test_the_fake_needs_nothing(store: ModelStore, tmp_path: Path) -> None:
    found = chosen(store, tmp_path, name="fake")
    assert (found.chosen.name, found.fallback) == ("fake", None)


def test_an_unknown_name_is_answered_with_the_known_ones(builtin: Path, store: ModelStore) -> None:
    with pytest.raises(SettingsError, match=r"'home-fr': .*\(fake, home-da, home-en\)"):
        chosen(store, builtin, name="home-fr")


@pytest.mark.parametrize("name", ["../home-en", "/", ".", "", "home-en/../home-en"])
def test_a_name_is_not_a_path(builtin: Path, store: ModelStore, name: str) -> None:
    with pytest.raises(SettingsError):
        chosen(store, builtin, name=name)


def test_name_and_folder_contradict_each_other(builtin: Path, store: ModelStore) -> None:
    with pytest.raises(SettingsError, match="choose one"):
        chosen(store, builtin, name="home-en", dir=builtin)


def test_nothing_inside_and_nothing_chosen_says_what_to_do(
    store: ModelStore, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="--model-dir"):
        chosen(store, tmp_path)


def test_an_installed_model_by_its_name(builtin: Path, store: ModelStore, model: Path) -> None:
    install(store, "mine", model)
    assert chosen(store, builtin, name="mine").languages == ("cy",)
    assert chosen(store, builtin, name="mine").chosen.load().info.languages == ("cy",)
    assert chosen(store, builtin, name="mine", languages=("de",)).languages == ("de",)


def test_a_model_of_the_catalogue_is_fetched_while_the_fallback_serves(
    builtin: Path, store: ModelStore
) -> None:
    found = chosen(store, builtin, name="kroko-de")
    assert found.wanted is not None
    assert (found.wanted.id, found.fallback and found.fallback.name) == ("kroko-de", "home-en")
    with pytest.raises(NotInstalledError):
        found.chosen.load()


def test_offline_the_fallback_serves_and_it_says_how_a_model_is_installed(
    builtin: Path, store: ModelStore
) -> None:
    found = chosen(store, builtin, name="kroko-de", offline=True)
    assert (found.fallback and found.fallback.name) == "home-en"
    assert "home-en serves until it is installed" in found.reason
    with pytest.raises(NotInstalledError, match=r"turn store.offline off, or: .* --name kroko-de"):
        found.chosen.load()


@pytest.mark.parametrize("offline", [False, True])
def test_where_nothing_ships_inside_a_model_has_to_be_there(
    store: ModelStore, tmp_path: Path, *, offline: bool
) -> None:
    with pytest.raises(SettingsError, match="not installed: wyoming-stt models pull kroko-de"):
        chosen(store, tmp_path, name="kroko-de", offline=offline)


def test_a_model_that_was_put_aside_is_waited_for(
    builtin: Path, store: ModelStore, model: Path
) -> None:
    store.quarantine(install(store, "mine", model), "damaged: joiner.onnx")
    for _ in range(2):
        found = chosen(store, builtin, name="mine")
        assert (found.chosen.name, found.fallback and found.fallback.name) == ("mine", "home-en")
        store.prune()  # nothing of it is left but its name
    install(store, "mine", model)
    assert found.chosen.load()


def test_a_model_that_was_removed_is_unknown(builtin: Path, store: ModelStore, model: Path) -> None:
    install(store, "mine", model)
    store.remove("mine")
    with pytest.raises(SettingsError, match="no model 'mine'"):
        chosen(store, builtin, name="mine")


@pytest.mark.parametrize("name", [None, "kroko-de", "welsh"])
def test_a_mistake_in_a_catalogue_costs_that_file_only(
    builtin: Path, store: ModelStore, caplog: pytest.LogCaptureFixture, name: str | None
) -> None:
    folder = store.layout.user_catalogs
    folder.mkdir(parents=True)
    (folder / "a.toml").write_text("[x]\nnonsense = 1")
    (folder / "b.toml").write_text(WELSH)
    found = chosen(store, builtin, name=name)
    assert found.wanted is not None
    assert name in {None, found.wanted.id}
    (told,) = caplog.messages
    assert f"left out: {folder / 'a.toml'}" in told
