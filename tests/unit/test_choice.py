"""Which model is chosen, what stands behind it, and what is to be fetched."""

import os
from pathlib import Path

import pytest

from tests.support.onnx_models import build
from wyoming_stt import choice as choice_module
from wyoming_stt.choice import Choice, choose
from wyoming_stt.errors import ModelFileError, NotInstalledError, SettingsError
from wyoming_stt.hardware import Hardware
from wyoming_stt.settings import ModelSettings, Settings
from wyoming_stt.store import Manifest, ModelFiles, ModelStore, StoreOptions

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
    settings = Settings(
        data_dir=store.data_dir,
        model=ModelSettings(**model),
        store=StoreOptions(offline=offline),
    )
    return choose(settings, store, builtin)


def install(store: ModelStore, name: str, source: Path, version: str = "1") -> ModelFiles:
    facts = Manifest(
        id=name,
        version=version,
        family="zipformer2",
        languages=("cy",),
        licence="mine",
        source=str(source),
        installed_at="2026-11-01T00:00:00+00:00",
    )
    return store.add(source, facts)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return build("zipformer2", tmp_path / "own", seed=1)


def test_what_ships_inside_serves_until_a_better_model_is_there(
    builtin: Path, store: ModelStore
) -> None:
    found = chosen(store, builtin)
    assert (found.chosen.name, found.fallback, found.languages) == ("home-en", None, ("en",))
    assert found.wanted is not None
    assert found.wanted.languages == ("en",)
    assert found.wanted.id in found.reason


def test_what_ships_inside_keeps_its_language(
    builtin: Path, store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = []
    monkeypatch.setattr(
        choice_module, "load_model", lambda _, languages, **__: loaded.append(languages)
    )
    found = chosen(store, builtin, languages=("ko",))
    assert (found.chosen.name, found.languages) == ("home-en", ("en",))
    assert found.wanted is not None
    assert found.wanted.languages == ("ko",)
    found.chosen.load()
    own = chosen(store, builtin, dir=builtin / "home-da", languages=("da",))
    assert own.fallback is not None
    own.fallback.load()
    assert loaded == [("en",), ("en",)]


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


def test_a_packaged_model_by_name(builtin: Path, store: ModelStore) -> None:
    found = chosen(store, builtin, name="home-da")
    assert (found.chosen.name, found.wanted) == ("home-da", None)


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


def test_offline_it_says_how_a_model_is_installed(builtin: Path, store: ModelStore) -> None:
    with pytest.raises(SettingsError, match="not installed: wyoming-stt models pull kroko-de"):
        chosen(store, builtin, name="kroko-de", offline=True)


@pytest.mark.parametrize("keep_time", [False, True])
def test_a_damaged_model_is_named_and_put_aside(
    builtin: Path, store: ModelStore, model: Path, *, keep_time: bool
) -> None:
    files = install(store, "mine", model)
    victim = next(files.folder.glob("encoder*.onnx"))
    before = victim.stat()
    damaged = bytearray(victim.read_bytes())
    damaged[: len(damaged) // 2] = bytes(len(damaged) // 2)
    victim.write_bytes(damaged)
    if keep_time:
        os.utime(victim, ns=(before.st_atime_ns, before.st_mtime_ns))
    source = chosen(store, builtin, name="mine").chosen
    with pytest.raises(ModelFileError, match=rf"{victim.name}.*damage.*moved to"):
        source.load()
    assert store.installed("mine") is None
    assert len(store.quarantined()) == 1
