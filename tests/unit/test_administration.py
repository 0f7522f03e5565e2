"""What the owner of a running server may do with its models."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.engines import eventually
from tests.support.installed import install
from tests.support.onnx_models import build
from wyoming_stt import choice
from wyoming_stt.administration import Administrator
from wyoming_stt.choice import choose
from wyoming_stt.engine import Engine, EngineOptions
from wyoming_stt.errors import InferenceError, ModelError, UnknownModelError
from wyoming_stt.hardware import Hardware
from wyoming_stt.lifecycle_options import LifecycleOptions
from wyoming_stt.model_sources import in_store
from wyoming_stt.settings import ModelSettings, Settings
from wyoming_stt.store import ModelStore, StoreOptions


@pytest.fixture(scope="module")
def builtin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("builtin")
    build("zipformer2", folder / "home-en", seed=1)
    return folder


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "data")


@contextlib.asynccontextmanager
async def serving(
    store: ModelStore, builtin: Path, **model: object
) -> AsyncIterator[tuple[Engine, Administrator]]:
    settings = Settings(data_dir=store.data_dir, model=ModelSettings(**model))
    found = choose(settings, store, builtin)
    engine = Engine(found.chosen, EngineOptions(workers=1), fallback=found.fallback)
    await engine.ready()
    yield engine, Administrator(engine, found, settings, store, builtin)
    await engine.close()


async def test_all_models_of_this_machine_are_known(store: ModelStore, builtin: Path) -> None:
    install(store, "mine", builtin / "home-en", "1")
    async with serving(store, builtin, name="fake") as (_, administrator):
        known = {model.id: model for model in administrator.models()}
    assert set(known) == {"home-en", "mine", "fake"}
    assert (known["mine"].version, known["mine"].source) == (
        "1",
        str(builtin / "home-en"),
    )
    assert all(model.installed for model in known.values())


async def test_what_is_to_be_fetched_is_told_until_it_is_here(
    store: ModelStore, builtin: Path
) -> None:
    async with serving(store, builtin, name="kroko-de") as (engine, administrator):
        known = {model.id: model.installed for model in administrator.models()}
        assert known == {"home-en": True, "kroko-de": False}
        assert administrator.capabilities().wanted == "kroko-de"
        assert "home-en serves until it is downloaded" in administrator.capabilities().chosen_reason
        spec = store.catalog().find("kroko-de")
        files = install(store, spec.id, builtin / "home-en", spec.version)
        await engine.lifecycle.swap(in_store(spec.id, files, store, administrator._settings))
        told = administrator.capabilities()
        assert (told.wanted, told.chosen_reason) == (None, "it was fetched meanwhile")
        await administrator.activate("home-en")
        assert administrator.capabilities().chosen_reason == "it was activated"


async def test_a_folder_without_a_name_of_its_own_can_be_returned_to(
    store: ModelStore, builtin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(build("zipformer2", tmp_path / "own", seed=2))
    async with serving(store, builtin, dir=Path()) as (engine, administrator):
        assert engine.lifecycle.chosen.name == "own"
        await administrator.activate("home-en")
        await administrator.activate("own")
        assert engine.lifecycle.chosen.name == "own"


async def test_offline_nothing_is_told_to_be_fetched(store: ModelStore, builtin: Path) -> None:
    async with serving(store, builtin, name="kroko-de") as (_, administrator):
        administrator._settings = administrator._settings.model_copy(
            update={"store": StoreOptions(offline=True)}
        )
        assert administrator.capabilities().wanted is None


async def test_a_reload_takes_the_version_that_is_installed_by_now(
    store: ModelStore, builtin: Path
) -> None:
    install(store, "mine", builtin / "home-en", "1")
    async with serving(store, builtin, name="mine") as (engine, administrator):
        assert engine.info is not None
        assert engine.info.version == "1"
        assert engine.info.sha256 is not None
        install(store, "mine", builtin / "home-en", "2")
        await administrator.reload()
        assert engine.info.version == "2"


async def test_whatever_was_activated_a_reload_returns_to_the_settings(
    store: ModelStore, builtin: Path
) -> None:
    install(store, "mine", builtin / "home-en", "1")
    async with serving(store, builtin, name="home-en") as (engine, administrator):
        await administrator.activate("mine")
        assert engine.lifecycle.chosen.name == "mine"
        await administrator.reload()
        assert engine.lifecycle.chosen.name == "home-en"
        with pytest.raises(UnknownModelError, match="known: home-en, mine"):
            await administrator.activate("other")


async def test_what_ships_inside_stands_in_for_what_was_activated(
    store: ModelStore, builtin: Path
) -> None:
    install(store, "mine", builtin / "home-en")
    async with serving(store, builtin) as (engine, administrator):
        assert engine.lifecycle.fallback is None
        await administrator.activate("mine")
        await fail(engine)
        await eventually(lambda: engine.lifecycle.on_fallback)
        assert (await engine.ready()).info.name == "home-en"
        await administrator.activate("home-en")
        assert engine.lifecycle.fallback is None
        await administrator.reload()
        assert engine.lifecycle.fallback is None


async def test_what_ships_inside_can_be_activated_where_a_better_one_is_installed(
    store: ModelStore, builtin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Hardware("a desktop", 8, ("avx2", "fma"), 16 << 30, "x86_64")
    monkeypatch.setattr(choice, "detect", lambda: desk)
    async with serving(store, builtin) as (engine, administrator):
        better = choose(administrator._settings, store, builtin).wanted
        assert better is not None
        install(store, better.id, builtin / "home-en", better.version)
        await administrator.reload()
        assert engine.lifecycle.chosen.name == better.id
        await administrator.activate("home-en")
        assert (await engine.ready()).info.name == "home-en"


async def fail(engine: Engine) -> None:
    """Report as many failures in a row as the lifecycle bears."""
    for _ in range(LifecycleOptions().max_failures):
        model = await engine.lifecycle.acquire()
        engine.lifecycle.failed(model, InferenceError("odd"))
        engine.lifecycle.release(model)


async def test_settings_that_no_longer_make_sense_change_nothing(
    store: ModelStore, builtin: Path
) -> None:
    async with serving(store, builtin, name="home-en") as (engine, administrator):
        store.layout.user_catalogs.mkdir(parents=True)
        (store.layout.user_catalogs / "broken.toml").write_text("nonsense")
        administrator._settings = Settings(
            data_dir=store.data_dir, model=ModelSettings(name="mine")
        )
        with pytest.raises(ModelError):
            await administrator.reload()
        assert engine.lifecycle.chosen.name == "home-en"
