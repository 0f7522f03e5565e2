"""A better model arrives in the background and serves, whatever the network does."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.engines import OPEN, eventually
from tests.support.hostile_http import HostileServer, answer, drop, hostile_server, stall
from tests.support.installed import install
from tests.support.onnx_models import build
from tests.support.pulling import QUICK
from wyoming_stt.choice import choose
from wyoming_stt.engine import Engine, EngineOptions, ModelSource
from wyoming_stt.errors import InferenceError
from wyoming_stt.lifecycle_options import LifecycleOptions
from wyoming_stt.model_state import ModelState
from wyoming_stt.models.families.fake import FakeRecognizer
from wyoming_stt.settings import ModelSettings, Settings, UpgradeOptions
from wyoming_stt.store import ModelSpec, ModelStore, StoreOptions
from wyoming_stt.upgrade import STOP_S, keep_installed, upgrade

PATIENCE_S = 20.0


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with hostile_server() as server:
        yield server


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("zipformer2", tmp_path_factory.mktemp("published") / "better", seed=2)


@pytest.fixture
def builtin(tmp_path: Path) -> Path:
    build("zipformer2", tmp_path / "builtin" / "home-en", seed=1)
    return tmp_path / "builtin"


def publish(server: HostileServer, folder: Path) -> ModelSpec:
    files = []
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        server.page(f"/{path.name}", content)
        facts = {"size": len(content), "sha256": sha256(content).hexdigest()}
        files.append({"path": path.name, "urls": [server.url(f"/{path.name}")], **facts})
    return ModelSpec.model_validate(
        {
            "id": "better",
            "title": "Better",
            "family": "zipformer2",
            "streaming": True,
            "languages": ["en"],
            "version": "1",
            "licence": "mine",
            "memory": "small",
            "speed": "fast",
            "files": files,
        }
    )


def toml(spec: ModelSpec) -> str:
    """Write an entry as in a catalogue."""
    files = [
        f'{{ path = "{file.path}", urls = ["{file.urls[0]}"], sha256 = "{file.sha256}" }}'
        for file in spec.files
    ]
    facts = spec.model_dump(
        include={"title", "family", "version", "licence", "memory", "speed", "languages"}
    )
    lines = [f"{name} = {json.dumps(value)}" for name, value in facts.items()]
    return "\n".join([f"[{spec.id}]", "streaming = true", *lines, f"files = [{', '.join(files)}]"])


@asynccontextmanager
async def serving(
    tmp_path: Path,
    builtin: Path,
    spec: ModelSpec | None,
    store_options: StoreOptions = QUICK,
    model: str = "home-en",
) -> AsyncIterator[tuple[Engine, asyncio.Task[None]]]:
    """Serve what ships inside, and fetch the other in the background."""
    settings = Settings(
        data_dir=tmp_path / "data",
        model=ModelSettings(name=model),
        store=store_options,
        upgrade=UpgradeOptions(retry_s=0.05, retry_max_s=0.1),
    )
    store = ModelStore(tmp_path / "data", store_options)
    inside = choose(settings, store, builtin)
    choice = replace(inside, reason="it is better", wanted=spec)
    engine = Engine(
        inside.chosen,
        EngineOptions(workers=1),
        fallback=inside.fallback,
        lifecycle=LifecycleOptions(retry_s=0.02, retry_max_s=0.02),
    )
    await engine.start()
    work = asyncio.create_task(
        upgrade(engine, choice, store, settings)
        if spec
        else keep_installed(engine, choice, store, settings)
    )
    try:
        yield engine, work
    finally:
        work.cancel()
        await asyncio.wait([work])
        await engine.close()


async def test_it_arrives_and_serves(
    tmp_path: Path, builtin: Path, server: HostileServer, published: Path
) -> None:
    async with serving(tmp_path, builtin, publish(server, published)) as (engine, work):
        assert (await engine.ready()).info.name == "home-en"
        await asyncio.wait_for(work, PATIENCE_S)
        assert (await engine.ready()).info.name == "better"
        assert not engine.lifecycle.on_fallback


async def test_what_is_put_aside_is_fetched_again(
    tmp_path: Path, builtin: Path, server: HostileServer, published: Path
) -> None:
    spec = publish(server, published)
    store = ModelStore(tmp_path / "data", QUICK)
    files = store.pull(spec).files
    store.layout.user_catalogs.mkdir(parents=True)
    (store.layout.user_catalogs / "own.toml").write_text(toml(spec))
    async with serving(tmp_path, builtin, None, model="better") as (engine, work):
        assert (await engine.ready()).info.name == "better"
        (files.folder / "tokens.txt").write_text("nonsense")
        await engine.lifecycle.unload("better")
        assert (await engine.ready()).info.name == "home-en"
        await eventually(lambda: not engine.lifecycle.on_fallback)
        assert (await engine.ready()).info.name == "better"
        assert not work.done()
    assert len(server.pages["/tokens.txt"].requests) == 2


async def test_what_nobody_publishes_is_not_asked_for(tmp_path: Path, builtin: Path) -> None:
    store = ModelStore(tmp_path / "data", QUICK)
    files = install(store, "mine", builtin / "home-en")
    async with serving(tmp_path, builtin, None, model="mine") as (engine, work):
        await engine.ready()
        store.quarantine(files, "damaged: tokens.txt")
        await engine.lifecycle.unload("mine")
        assert (await engine.ready()).info.name == "home-en"
        await eventually(lambda: engine.lifecycle.record.counts[ModelState.SWAPPING] > 2)
        assert not work.done()


async def test_what_served_before_stands_in_for_it(
    tmp_path: Path, builtin: Path, server: HostileServer, published: Path
) -> None:
    async with serving(tmp_path, builtin, publish(server, published)) as (engine, work):
        await asyncio.wait_for(work, PATIENCE_S)
        for _ in range(LifecycleOptions().max_failures):
            model = await engine.lifecycle.acquire()
            engine.lifecycle.failed(model, InferenceError("odd"))
            engine.lifecycle.release(model)
        await eventually(lambda: engine.lifecycle.on_fallback)
        async with engine.open(OPEN) as lease:
            await lease.accept(bytes(32_000))
            await lease.finish()
            assert lease.model == "home-en"


async def test_a_network_that_fails_only_delays_it(
    tmp_path: Path, builtin: Path, server: HostileServer, published: Path
) -> None:
    spec = publish(server, published)
    name = spec.files[0].path
    faults = [answer(500)] * 7 + [drop(1000), answer(429), answer(500)]
    server.page(f"/{name}", (published / name).read_bytes(), *faults)
    async with serving(tmp_path, builtin, spec) as (engine, work):
        await asyncio.wait_for(work, PATIENCE_S)
        assert (await engine.ready()).info.name == "better"


async def test_a_model_that_cannot_be_used_changes_nothing(
    tmp_path: Path, builtin: Path, server: HostileServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = build("zipformer2", tmp_path_factory.mktemp("bad") / "bad", seed=2)
    next(folder.glob("encoder*.onnx")).write_bytes(b"as published, and no model")
    async with serving(tmp_path, builtin, publish(server, folder)) as (engine, work):
        await engine.ready()
        while not engine.lifecycle.record.failures:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
        assert (await engine.ready()).info.name == "home-en"
        assert not work.done()


async def test_a_version_that_somebody_went_back_from_stays_out(
    tmp_path: Path, builtin: Path, server: HostileServer, published: Path
) -> None:
    store = ModelStore(tmp_path / "data", QUICK)
    install(store, "better", builtin / "home-en", "0")
    spec = publish(server, published)
    name = spec.files[0].path
    page = server.page(f"/{name}", (published / name).read_bytes(), *[answer(500)] * 12)
    async with serving(tmp_path, builtin, spec) as (engine, work):
        while len(page.faults) > 8:  # noqa: ASYNC110 - until it waits to try again
            await asyncio.sleep(0.01)
        install(store, "better", builtin / "home-en", "1")
        store.rollback("better")
        await asyncio.wait_for(work, PATIENCE_S)
        assert (await engine.ready()).info.name == "home-en"
    assert store.find("better").version == "0"


async def test_a_version_that_cannot_be_loaded_is_not_in_use_at_the_next_start(
    tmp_path: Path, builtin: Path, server: HostileServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = ModelStore(tmp_path / "data", QUICK)
    install(store, "better", builtin / "home-en", "0")
    folder = build("zipformer2", tmp_path_factory.mktemp("bad") / "bad", seed=2)
    next(folder.glob("encoder*.onnx")).write_bytes(b"as published, and no model")
    async with serving(tmp_path, builtin, publish(server, folder), model="better") as (engine, _):
        assert (await engine.ready()).info.version == "0"
        await eventually(lambda: bool(engine.lifecycle.record.failures))
        assert [files.version for files in store.versions("better")] == ["0", "1"]
        assert (await engine.ready()).info.version == "0"
    assert store.find("better").version == "0"


async def test_the_end_does_not_wait_for_a_download(
    tmp_path: Path, builtin: Path, server: HostileServer, published: Path
) -> None:
    spec = publish(server, published)
    name = spec.files[0].path
    page = server.page(f"/{name}", (published / name).read_bytes(), stall(30.0, after=100))
    async with serving(tmp_path, builtin, spec, StoreOptions()) as (_, work):
        while page.faults:  # noqa: ASYNC110 - until the request is there
            await asyncio.sleep(0.01)
        work.cancel()
        done, _ = await asyncio.wait([work], timeout=STOP_S + 2.0)
        assert done
    assert StoreOptions().stall_timeout_s > 10 * STOP_S


async def test_offline_nothing_is_asked_for(
    tmp_path: Path, builtin: Path, server: HostileServer, published: Path
) -> None:
    spec = publish(server, published)
    options = StoreOptions(offline=True)
    async with serving(tmp_path, builtin, spec, options) as (engine, work):
        await asyncio.wait_for(work, PATIENCE_S)
        assert (await engine.ready()).info.name == "home-en"


async def test_a_model_that_somebody_activated_meanwhile_stays(
    tmp_path: Path, builtin: Path, server: HostileServer, published: Path
) -> None:
    spec = publish(server, published)
    async with serving(tmp_path, builtin, spec) as (engine, task):
        # Before the event loop has let the download begin.
        own = ModelSource("own", FakeRecognizer)
        engine.lifecycle.chosen = own
        await asyncio.wait_for(task, PATIENCE_S)
        assert engine.lifecycle.chosen is own
    assert ModelStore(tmp_path / "data", QUICK).installed("better") is not None
