"""The whole application, over real connections."""

import asyncio
import re

import httpx
import pytest

from tests.support.engines import Stuck
from tests.support.http_door import ANYWHERE, open_door
from tests.support.wyoming_door import load_fake
from wyoming_stt.engine import EngineOptions
from wyoming_stt.errors import ModelFileError
from wyoming_stt.front.http.options import HttpOptions
from wyoming_stt.models.base import Recognizer
from wyoming_stt.session import UtteranceOptions

METRICS = HttpOptions(uri=ANYWHERE, metrics=True)


def broken() -> Recognizer:
    raise ModelFileError("/models/x", "a folder with a model", "nothing")


async def test_health_and_readiness_of_a_server_that_can_serve() -> None:
    async with open_door() as door, door.client() as client:
        health = (await client.get("/health")).json()
        assert (health["status"], health["model"], health["model_state"]) == ("ok", "fake", "ready")
        assert health["load_time_ms"] >= 0
        assert health["warmup_time_ms"] >= 0
        assert health["memory_mb"] > 10
        assert health["last_errors"] == []
        ready = await client.get("/ready")
        assert (ready.status_code, ready.json()["pool_available"]) == (200, 32)


async def test_while_the_model_loads() -> None:
    stuck = Stuck()

    def load() -> Recognizer:
        stuck()
        return load_fake()

    async with open_door(load=load, ready=False) as door, door.client() as client:
        health = (await client.get("/health")).json()
        assert (health["status"], health["load_time_ms"]) == ("loading", None)
        ready = await client.get("/ready")
        assert (ready.status_code, ready.json()["reason"]) == (503, "loading")
        assert ready.json()["code"] == "model_loading"
        assert "Retry-After" in ready.headers
        (model,) = (await client.get("/v1/models")).json()["data"]
        assert (model["id"], model["languages"], model["family"]) == ("fake", ["en"], None)
        stuck.let_go.set()
        await door.engine.ready()
        assert (await client.get("/ready")).status_code == 200


async def test_where_the_model_cannot_be_loaded() -> None:
    async with open_door(load=broken, ready=False) as door, door.client() as client:
        with pytest.raises(ModelFileError):
            await door.engine.ready()
        health = await client.get("/health")
        assert (health.status_code, health.json()["status"]) == (200, "error")
        ready = await client.get("/ready")
        assert (ready.status_code, ready.json()["reason"]) == (503, "model_error")


async def test_where_all_places_are_taken() -> None:
    limits = EngineOptions(workers=1, max_utterances=1)
    async with open_door(engine_options=limits) as door, door.client() as client:
        async with door.engine.open(UtteranceOptions()):
            ready = await client.get("/ready")
            assert (ready.status_code, ready.json()["reason"]) == (503, "saturated")
        assert (await client.get("/ready")).status_code == 200


async def test_models_have_openais_shape() -> None:
    async with open_door() as door, door.client() as client:
        listed = (await client.get("/v1/models")).json()
        assert (listed["object"], listed["data"][0]["object"]) == ("list", "model")
        assert (await client.get("/v1/models/fake")).json() == listed["data"][0]
        absent = await client.get("/v1/models/whisper-1")
        assert (absent.status_code, absent.json()["code"]) == (404, "model_not_found")


async def test_metrics_are_off_unless_asked_for() -> None:
    async with open_door() as door, door.client() as client:
        answer = await client.get("/metrics")
        assert (answer.status_code, answer.json()["code"]) == (404, "metrics_disabled")


async def test_metrics_name_routes_by_their_templates() -> None:
    async with open_door(METRICS) as door, door.client() as client:
        for path in ("/v1/models/a", "/v1/models/b", "/x", "/y"):
            await client.get(path)
        answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    requests = re.findall(r"wyoming_stt_http_requests_total(\{.*?\} .*)", answer.text)
    assert requests == [
        '{method="GET",route="/v1/models/{model_id}",status="404"} 2.0',
        '{method="GET",route="unmatched",status="404"} 2.0',
    ]
    assert 'wyoming_stt_errors_total{code="model_not_found"} 2.0' in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/health/", 404, "not_found"),
        ("GET", "/docs/../../etc/passwd", 404, "not_found"),
        ("GET", "/docs/__init__.py", 404, "not_found"),
        ("POST", "/health", 405, "method_not_allowed"),
        ("DELETE", "/v1/models/fake", 405, "method_not_allowed"),
    ],
)
async def test_what_is_not_here(method: str, path: str, status: int, code: str) -> None:
    async with open_door() as door, door.client() as client:
        answer = await client.request(method, path)
    assert ("Allow" in answer.headers) is (status == 405)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["X-Request-Id"]
    if status == 405:
        assert answer.json()["error"] == "this route answers GET only"


async def test_docs_need_nothing_from_elsewhere() -> None:
    async with open_door() as door, door.client() as client:
        page = (await client.get("/docs")).text
        needed = re.findall(r'(?:src|href)="(.+?)"', page)
        assert len(needed) == 3
        assert "//" not in "".join(needed)
        for path in needed:
            assert len((await client.get(f"/{path}")).content) > 500
        assert '"openapi.json"' in page or "'openapi.json'" in page


async def test_a_fault_in_a_route_is_one_answer_one_count_and_one_traceback(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("the reason")

    async with open_door(METRICS) as door, door.client() as client:
        monkeypatch.setattr(type(door.metrics), "render", fail)
        answer = await client.get("/metrics")
        assert (answer.status_code, answer.json()["code"]) == (500, "internal")
        assert "reason" not in answer.text
        assert answer.headers["X-Request-Id"]
        (error,) = (await client.get("/health")).json()["last_errors"]
    assert (error["code"], error["door"]) == ("internal", "http")
    assert caplog.text.count("RuntimeError: the reason") == 1


async def test_the_rate_limit_holds_for_each_address_behind_a_trusted_proxy() -> None:
    options = HttpOptions(
        uri=ANYWHERE, requests_per_minute=1, request_burst=2, trusted_proxies=("127.0.0.0/8",)
    )
    async with open_door(options) as door, door.client() as client:

        async def ask(forwarded: str) -> int:
            headers = {"X-Forwarded-For": forwarded}
            return (await client.get("/v1/models", headers=headers)).status_code

        assert [await ask("192.0.2.1") for _ in range(3)] == [200, 200, 429]
        # What the client itself wrote stands before what the proxy added.
        assert await ask("10.9.8.7, 192.0.2.1") == 429
        assert await ask("192.0.2.2") == 200


async def test_who_is_no_trusted_proxy_cannot_choose_an_address() -> None:
    options = HttpOptions(uri=ANYWHERE, requests_per_minute=1, request_burst=1)
    async with open_door(options) as door, door.client() as client:
        answers = [
            await client.get("/v1/models", headers={"X-Forwarded-For": f"192.0.2.{n}"})
            for n in range(3)
        ]
        assert [answer.status_code for answer in answers] == [200, 429, 429]
        refused = answers[-1]
        assert refused.json()["code"] == "rate_limited"
        assert 0 < refused.json()["retry_after_ms"] <= 60_000
        assert refused.headers["Retry-After"] == "60"
        for _ in range(5):
            assert (await client.get("/health")).status_code == 200


async def test_requests_at_once_are_all_answered() -> None:
    async with open_door() as door, door.client() as client:
        answers = await asyncio.gather(*(client.get("/v1/models") for _ in range(50)))
    assert {answer.status_code for answer in answers} == {httpx.codes.OK}
    assert len({answer.headers["X-Request-Id"] for answer in answers}) == 50
