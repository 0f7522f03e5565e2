"""A model that cannot be used: the fallback answers, everyone is told why, and it comes back."""

import asyncio
import json
import logging
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from tests.support.cgroups import memory_group
from tests.support.engines import LONG, eventually
from tests.support.http_door import Door, open_door
from tests.support.installed import install
from tests.support.onnx_models import build
from tests.support.recognizers import ScriptedRecognizer, ScriptedStream
from tests.support.uploads import wav
from tests.support.wyoming_door import load_fake
from wyoming_stt.choice import Choice, choose
from wyoming_stt.decoding.hypothesis import EMPTY, Hypothesis
from wyoming_stt.engine import ModelSource
from wyoming_stt.lifecycle import LifecycleOptions
from wyoming_stt.settings import ModelSettings, Settings
from wyoming_stt.store import ModelStore, StoreOptions

SOON = LifecycleOptions(retry_s=0.05, retry_max_s=0.05)
MIB = 1 << 20


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("zipformer2", tmp_path_factory.mktemp("whole") / "mine", seed=1)


@pytest.fixture(scope="module")
def builtin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("builtin")
    build("zipformer2", folder / "home-en", seed=2)
    return folder


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "data")


def chosen(store: ModelStore, builtin: Path, **model: object) -> Choice:
    settings = Settings(data_dir=store.data_dir, model=ModelSettings(**model), store=store.options)
    return choose(settings, store, builtin)


def door_on(choice: Choice) -> AbstractAsyncContextManager[Door]:
    return open_door(chosen=choice.chosen, fallback=choice.fallback, lifecycle=SOON, ready=False)


async def health(client: httpx.AsyncClient) -> dict[str, Any]:
    return (await client.get("/health")).json()


async def is_told(client: httpx.AsyncClient, door: Door, reason: str) -> None:
    """The fallback answers, and health tells why it has to."""
    await door.engine.ready()
    answer = await client.post("/v1/transcribe", content=wav())
    assert (answer.status_code, answer.json()["model"]) == (200, "home-en"), answer.text
    told = await health(client)
    assert (told["status"], told["on_fallback"], told["model"]) == ("degraded", True, "home-en")
    assert reason in told["reason"]
    assert reason in told["last_errors"][0]["message"]
    assert (await client.get("/ready")).status_code == 200


async def comes_back(client: httpx.AsyncClient, door: Door) -> None:
    await eventually(lambda: not door.engine.lifecycle.on_fallback)
    assert (await health(client))["status"] == "ok"
    answer = await client.post("/v1/transcribe", content=wav())
    assert (answer.status_code, answer.json()["model"]) == (200, "mine")


def flip(content: bytes) -> bytes:
    """Change the bit that says how long the graph is."""
    return content[:1] + bytes([content[1] ^ 0x40]) + content[2:]


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def rename(content: bytes) -> bytes:
    return content.replace(b"zipformer2", b"unheard_of")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [(flip, "encoder.onnx"), (cut, "encoder.onnx"), (rename, "no family recognises")],
)
async def test_a_folder_of_ones_own_that_is_damaged(  # noqa: PLR0917 - fixtures
    damage: Callable[[bytes], bytes],
    reason: str,
    whole: Path,
    builtin: Path,
    store: ModelStore,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    mine = Path(shutil.copytree(whole, tmp_path / "mine"))
    encoder = mine / "encoder.onnx"
    encoder.write_bytes(damage(encoder.read_bytes()))
    with caplog.at_level(logging.WARNING):
        async with door_on(chosen(store, builtin, dir=mine)) as door, door.client() as client:
            await is_told(client, door, reason)
            assert "home-en serves instead" in caplog.text
            assert reason in caplog.text
            shutil.copy(whole / "encoder.onnx", encoder)
            await comes_back(client, door)


async def test_an_installed_model_in_which_one_byte_is_flipped(
    whole: Path, builtin: Path, store: ModelStore
) -> None:
    files = install(store, "mine", whole)
    joiner = files.folder / "joiner.onnx"
    content = bytearray(joiner.read_bytes())
    content[len(content) // 2] ^= 1  # a weight: the graph would load, and say other words
    joiner.write_bytes(content)
    async with door_on(chosen(store, builtin, name="mine")) as door, door.client() as client:
        await is_told(client, door, "joiner.onnx")
        (aside,) = store.quarantined()
        assert "joiner.onnx" in aside.reason
    # Nobody is there to mend it before the next start.
    async with door_on(chosen(store, builtin, name="mine")) as door, door.client() as client:
        await is_told(client, door, "joiner.onnx")
        await asyncio.to_thread(install, store, "mine", whole)
        await comes_back(client, door)


async def test_a_model_that_offline_was_never_downloaded(builtin: Path, tmp_path: Path) -> None:
    store = ModelStore(tmp_path, StoreOptions(offline=True))
    choice = chosen(store, builtin, name="kroko-de")
    async with door_on(choice) as door, door.client() as client:
        await is_told(client, door, "models add FOLDER --name kroko-de")


class Moody:
    """Loads and warms up, and fails at whatever comes then, until it is in a better mood."""

    def __init__(self) -> None:
        self.is_well = threading.Event()
        self.loads = 0

    def load(self) -> ScriptedRecognizer:
        self.loads += 1
        if self.loads > 1:
            self.is_well.wait(LONG)
        return ScriptedRecognizer(push=self.push)

    def push(self, stream: ScriptedStream) -> Hypothesis:
        if stream.number and not self.is_well.is_set():
            raise ValueError("a shape that does not fit")
        return EMPTY


async def test_a_model_that_raises_at_inference(caplog: pytest.LogCaptureFixture) -> None:
    moody = Moody()
    source, fallback = ModelSource("mine", moody.load), ModelSource("fake", load_fake)
    async with (
        open_door(chosen=source, fallback=fallback, lifecycle=SOON) as door,
        door.client() as client,
    ):
        for _ in range(SOON.max_failures):
            answer = await client.post("/v1/transcribe", content=wav())
            assert (answer.status_code, answer.json()["code"]) == (500, "inference_error")
        await eventually(lambda: door.engine.lifecycle.on_fallback)
        told = await health(client)
        assert told["status"] == "degraded"
        assert "failed 3 times in a row" in told["reason"]
        assert "a shape that does not fit" in told["reason"]
        assert told["consecutive_errors"] == 3
        assert "Model mine failed 3 times in a row" in caplog.text
        answer = await client.post("/v1/transcribe", content=wav())
        assert answer.json()["text"].startswith("turn on the kitchen light")
        moody.is_well.set()
        await eventually(lambda: not door.engine.lifecycle.on_fallback)
        assert (await client.post("/v1/transcribe", content=wav())).status_code == 200
        assert (await health(client))["status"] == "ok"


@pytest.fixture(scope="module")
def big(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that works and takes 256 MiB."""
    folder = Path(shutil.copytree(whole, tmp_path_factory.mktemp("big") / "big"))
    model = onnx.load(folder / "encoder.onnx")
    ballast = np.zeros(64 * MIB, np.float32)
    model.graph.initializer.append(numpy_helper.from_array(ballast, "ballast"))
    onnx.save(model, folder / "encoder.onnx")
    return folder


@pytest.mark.slow
def test_a_model_that_is_too_big_for_the_memory_limit(
    big: Path, builtin: Path, tmp_path: Path
) -> None:
    with memory_group(300 * MIB) as group:
        command = [sys.executable, "-m", "tests.support.limited_engine"]
        command += map(str, (group.processes, tmp_path, big, builtin))
        # Nobody looks whether it fits: the kernel does not argue.
        assert subprocess.run([*command, "unchecked"], check=False).returncode == -9
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            first = json.loads(process.stdout.readline())
            assert (first["model"], first["answer"]) == ("home-en", "FinalTranscript")
            assert "raise the limit of the container" in first["reason"]
            group.limit(2048 * MIB)
            second = json.loads(process.stdout.readline())
            assert (second["model"], second["reason"]) == ("big", "")
        assert process.returncode == 0
