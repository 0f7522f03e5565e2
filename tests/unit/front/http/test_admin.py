"""Who may change the model, to what, and what the door tells of it."""

from pathlib import Path

import pytest
from starlette.requests import Request

from tests.support.engines import eventually
from tests.support.http_door import ANYWHERE, Door, open_door
from tests.support.onnx_models import build
from tests.support.uploads import wav
from tests.support.wyoming_door import load_fake
from wyoming_stt.engine import ModelSource
from wyoming_stt.errors import InferenceError, ModelFileError
from wyoming_stt.front.http.errors import HttpError
from wyoming_stt.front.http.options import HttpOptions
from wyoming_stt.front.http.owner import owner_only
from wyoming_stt.front.http.state import DoorState
from wyoming_stt.lifecycle_options import LifecycleOptions
from wyoming_stt.models.base import Recognizer
from wyoming_stt.session import UtteranceOptions
from wyoming_stt.store import Manifest, ModelStore

ADMIN = HttpOptions(uri=ANYWHERE, admin_token="sesame")  # noqa: S106
TOKENS = HttpOptions(uri=ANYWHERE, api_token="guest", admin_token="sesame")  # noqa: S106


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a model of its own."""
    folder = tmp_path_factory.mktemp("data")
    facts = Manifest(
        id="small-cy",
        version="2",
        family="zipformer2",
        languages=("cy",),
        licence="mine",
        source="a friend",
        installed_at="2026-11-01T00:00:00+00:00",
    )
    ModelStore(folder).add(build("zipformer2", folder / "source", seed=2), facts)
    return folder


def asked_by(host: str | None, **headers: str) -> Request:
    lines = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    client = None if host is None else (host, 5)
    return Request({"type": "http", "headers": lines, "client": client, "query_string": b""})


async def may(door: Door, request: Request, token: str | None = None) -> bool:
    state = DoorState(door.engine, HttpOptions(), None, None, door.metrics, None, token)
    try:
        await owner_only(request, state)
    except HttpError:
        return False
    return True


async def test_who_the_owner_is() -> None:
    async with open_door() as door:
        assert await may(door, asked_by("127.0.0.1"))
        assert await may(door, asked_by("::1", origin="http://localhost:10301"))
        assert not await may(door, asked_by("192.0.2.7"))
        assert not await may(door, asked_by(None))
        # Behind a proxy on this machine, or a page that may transcribe but not administer.
        assert not await may(door, asked_by("127.0.0.1", x_forwarded_for="192.0.2.7"))
        assert not await may(door, asked_by("127.0.0.1", origin="https://panel.example"))
        sesame = {"authorization": "Bearer sesame"}
        assert await may(door, asked_by("192.0.2.7", **sesame), "sesame")
        assert not await may(door, asked_by("192.0.2.7", authorization="Bearer x"), "sesame")
        assert not await may(door, asked_by("192.0.2.7", **sesame))


async def test_the_admin_token_opens_every_door() -> None:
    async with open_door(TOKENS) as door, door.client() as client:

        async def status(method: str, path: str, token: str, **headers: str) -> int:
            bearer = {"Authorization": f"Bearer {token}", **headers}
            return (await client.request(method, path, headers=bearer)).status_code

        assert await status("GET", "/model-status", "guest") == 200
        assert await status("GET", "/model-status", "sesame") == 200
        assert await status("GET", "/model-status", "wrong") == 401
        far = {"X-Forwarded-For": "192.0.2.7"}
        assert await status("POST", "/v1/admin/reload", "guest", **far) == 403
        assert await status("POST", "/v1/admin/reload", "sesame", **far) == 200


async def test_installed_models_are_listed_and_can_be_activated(data_dir: Path) -> None:
    async with open_door(data_dir=data_dir) as door, door.client() as client:
        models = (await client.get("/v1/models")).json()["data"]
        assert [(m["id"], m["active"]) for m in models] == [("fake", True), ("small-cy", False)]
        assert (models[1]["languages"], models[1]["version"]) == (["cy"], "2")
        answer = await client.post("/v1/admin/models/small-cy/activate")
        assert (answer.status_code, answer.json()["model"]) == (200, "small-cy")
        models = (await client.get("/v1/models")).json()["data"]
        assert [(m["id"], m["active"]) for m in models] == [("small-cy", True), ("fake", False)]
        assert models[0]["family"] == "zipformer2"
        assert door.engine.info is not None
        assert door.engine.info.version == "2"
        health = (await client.get("/health")).json()
        assert (health["status"], health["model_version"]) == ("ok", "2")


async def test_a_model_that_is_damaged_leaves_the_old_one(tmp_path: Path, data_dir: Path) -> None:
    store = ModelStore(tmp_path)
    source = ModelStore(data_dir).find("small-cy")
    files = store.add(source.folder, source.manifest)
    (files.folder / "tokens.txt").write_text("nonsense")
    async with open_door(data_dir=tmp_path) as door, door.client() as client:
        answer = await client.post("/v1/admin/models/small-cy/activate")
        assert (answer.status_code, answer.json()["code"]) == (503, "model_error")
        assert "damage" in answer.json()["error"]
        status = (await client.get("/model-status")).json()
        assert (status["model"], status["model_state"]) == ("fake", "ready")
        assert status["last_errors"][-1]["door"] == "model"
        assert "tokens.txt" in status["last_errors"][-1]["message"]


async def test_a_model_that_nobody_knows() -> None:
    async with open_door() as door, door.client() as client:
        for action in ("activate", "unload"):
            answer = await client.post(f"/v1/admin/models/other/{action}")
            assert (answer.status_code, answer.json()["code"]) == (404, "model_not_found")


async def test_memory_is_freed_until_the_next_utterance() -> None:
    async with open_door() as door, door.client() as client:
        for _ in range(2):
            answer = await client.post("/v1/admin/models/fake/unload")
            assert answer.json() == {"model": "fake", "model_state": "unloaded"}
        assert (await client.get("/health")).json()["status"] == "ok"
        async with door.engine.open(UtteranceOptions()) as lease:
            await lease.finish()
        status = (await client.get("/model-status")).json()
        assert status["model_state"] == "ready"
        assert status["counters"]["unloaded"] == 1
        assert [step["after"] for step in status["transitions"][:3]] == [
            "ready",
            "warming_up",
            "loading",
        ]


async def test_the_machine_and_what_suits_it() -> None:
    async with open_door() as door, door.client() as client:
        found = (await client.get("/capabilities")).json()
    assert found["hardware"]["cores"] >= 1
    assert "CPUExecutionProvider" in found["providers"]
    assert "zipformer2" in found["families"]
    assert found["recommended"] in found["reason"] or "built-in" in found["reason"]
    assert (found["chosen"], found["fallback"]) == ("fake", None)


async def test_on_the_fallback_it_is_degraded_and_says_why() -> None:
    def broken() -> Recognizer:
        raise ModelFileError(Path("/models/x/encoder.onnx"), "an ONNX model", "nothing")

    small = ModelSource("small", load_fake)
    async with open_door(load=broken, fallback=small) as door, door.client() as client:
        health = (await client.get("/health")).json()
        assert (health["status"], health["on_fallback"]) == ("degraded", True)
        assert "encoder.onnx" in health["reason"]
        assert health["last_errors"][0]["code"] == "model-damaged"
        assert (await client.get("/ready")).status_code == 200


async def test_where_nothing_else_could_serve_it_is_degraded_too() -> None:
    async with open_door() as door, door.client() as client:
        lifecycle = door.engine.lifecycle
        for _ in range(LifecycleOptions().max_failures):
            model = await lifecycle.acquire()
            lifecycle.failed(model, InferenceError("odd"))
            lifecycle.release(model)
        health = (await client.get("/health")).json()
        assert (health["status"], health["on_fallback"]) == ("degraded", False)
        assert health["reason"] == "fake failed 3 times in a row: odd"
        lifecycle.succeeded(await lifecycle.ready())
        health = (await client.get("/health")).json()
        assert (health["status"], health["reason"]) == ("ok", None)


async def test_under_overload_it_says_so() -> None:
    small = ModelSource("small", load_fake)
    async with open_door(fallback=small) as door, door.client() as client:
        door.engine.lifecycle.set_overloaded(overloaded=True)
        await eventually(lambda: door.engine.lifecycle.on_fallback)
        health = (await client.get("/health")).json()
        assert (health["status"], health["on_fallback"]) == ("degraded", True)
        assert "fake is too slow" in health["reason"]
        door.engine.lifecycle.set_overloaded(overloaded=False)
        await eventually(lambda: not door.engine.lifecycle.on_fallback)
        health = (await client.get("/health")).json()
        assert (health["status"], health["reason"]) == ("ok", None)


async def test_the_numbers_of_health() -> None:
    async with open_door() as door, door.client() as client:
        health = (await client.get("/health")).json()
        assert (health["rtf"], health["vad_speech_ratio"]) == (None, None)
        assert health["active_streams"] == 0
        answer = await client.post("/v1/transcribe", content=wav())
        assert answer.status_code == 200, answer.text
        health = (await client.get("/health")).json()
    assert 0 < health["rtf"]["p50"] == health["rtf"]["p99"]
    assert (health["queue_depth"], health["dropped"], health["consecutive_errors"]) == (0, 0, 0)
    assert health["degrade_level"] == "normal"
    assert health["model_memory_mb"] >= 0
