"""Whom the HTTP door lets in: a server as a user starts it, and what pages and strangers send."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.support.program import server

TOKEN = "correct-horse-battery"  # noqa: S105
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization, content-type",
}
FOREIGN = (
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example:10301",
    "https://evil.example",
    "http://localhost@evil.example",
    "null",
    "file://",
)
OWN = (
    "http://localhost:3000",
    "http://127.0.0.1",
    "http://[::1]:5173",
    "https://panel.example:8123",
)
PANEL = ("--model", "fake", "--allow-origin", "https://panel.example:8123")


def websocket_url(url: str, query: str = "") -> str:
    return url.replace("http", "ws", 1) + "/v1/ws" + query


def refusal(url: str, query: str = "", **wishes: Any) -> tuple[int, str]:
    """Ask for a WebSocket that is not granted; return the status and the code."""
    with pytest.raises(InvalidStatus) as caught, connect(websocket_url(url, query), **wishes):
        pass
    response = caught.value.response
    assert response.headers["X-Request-Id"]
    return response.status_code, json.loads(response.body)["code"]


def test_pages_from_elsewhere_are_refused_whatever_they_send() -> None:
    with server(*PANEL) as running:
        url = running.http()
        with httpx.Client(base_url=url) as client:
            for origin in FOREIGN:
                headers = {"Origin": origin}
                for answer in (
                    client.get("/v1/models", headers=headers),
                    client.get("/ready", headers=headers),
                    client.get("/docs", headers=headers),
                    client.post("/v1/transcribe", headers=headers, content=b"RIFF"),
                    client.options("/v1/transcribe", headers=headers | PREFLIGHT),
                ):
                    assert (answer.status_code, answer.json()["code"]) == (403, "origin_denied")
                    assert "Access-Control-Allow-Origin" not in answer.headers
                    assert answer.headers["X-Request-Id"]
                assert client.get("/health", headers=headers).status_code == 200
                assert refusal(url, origin=origin) == (403, "origin_denied")
            twice = [("Origin", "http://localhost"), ("Origin", "https://evil.example")]
            assert client.get("/v1/models", headers=twice).status_code == 403
        assert running.stop() == 0
        assert "Traceback" not in running.log
        # Refused on the way, and counted as the route that was meant.
        assert "POST /v1/transcribe 403" in running.log
        assert "unmatched" not in running.log


def test_pages_that_may_are_told_so_by_name() -> None:
    with server(*PANEL) as running, httpx.Client(base_url=running.http()) as client:
        plain = client.get("/v1/models")
        assert plain.status_code == 200
        assert "Access-Control-Allow-Origin" not in plain.headers
        for origin in OWN:
            answer = client.get("/v1/models", headers={"Origin": origin})
            assert answer.status_code == 200
            assert answer.headers["Access-Control-Allow-Origin"] == origin
            assert "X-Request-Id" in answer.headers["Access-Control-Expose-Headers"]
            assert "Origin" in answer.headers["Vary"]
            preflight = client.options("/v1/transcribe", headers={"Origin": origin} | PREFLIGHT)
            assert preflight.status_code == 200
            assert preflight.headers["Access-Control-Allow-Origin"] == origin
            assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
            assert "authorization" in preflight.headers["Access-Control-Allow-Headers"]
        put = PREFLIGHT | {"Access-Control-Request-Method": "PUT"}
        refused = client.options("/v1/transcribe", headers={"Origin": "http://localhost"} | put)
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")
        # What fails must be readable for the page, too.
        failed = client.get("/nowhere", headers={"Origin": "http://localhost"})
        assert failed.status_code == 404
        assert failed.headers["Access-Control-Allow-Origin"] == "http://localhost"


def test_every_page_may_if_the_owner_says_so_and_is_warned() -> None:
    with server("--model", "fake", "--cors-allow-any") as running:
        running.wait_for("WARNING .*--cors-allow-any")
        with httpx.Client(base_url=running.http()) as client:
            answer = client.get("/v1/models", headers={"Origin": "https://evil.example"})
            assert answer.status_code == 200
            assert answer.headers["Access-Control-Allow-Origin"] == "https://evil.example"


def test_a_token_is_asked_for_and_never_written(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    with server("--model", "fake", "--log-level", "debug", "--api-token-file", file) as running:
        url = running.http()
        with httpx.Client(base_url=url) as client:
            for path in ("/v1/models", "/metrics", "/docs", "/openapi.json", "/nowhere"):
                for headers in ({}, {"Authorization": "Bearer wrong"}):
                    answer = client.get(path, headers=headers)
                    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
                    assert answer.headers["WWW-Authenticate"] == "Bearer"
            for path in ("/health", "/ready"):
                assert client.get(path).status_code in {200, 503}
            known = {"Authorization": f"Bearer {TOKEN}"}
            assert client.get("/v1/models", headers=known).status_code == 200
            assert client.get("/v1/models", params={"access_token": TOKEN}).status_code == 401
            page = {"Origin": "http://localhost"}
            preflight = client.options("/v1/transcribe", headers=page | PREFLIGHT)
            assert preflight.status_code == 200, "browsers send no token with it"
        for query in ("", "?access_token=wrong", f"?access_token={TOKEN}x"):
            assert refusal(url, query) == (401, "unauthorized")
        with connect(websocket_url(url, f"?access_token={TOKEN}")) as websocket:
            websocket.ping().wait(10)
        with connect(websocket_url(url), additional_headers=known) as websocket:
            websocket.ping().wait(10)
        assert running.stop() == 0
        assert TOKEN not in running.log


def test_a_network_is_not_served_without_a_token() -> None:
    with server("--model", "fake", "--http-uri", "tcp://0.0.0.0:0") as running:
        assert running.wait() == 2
        assert "--api-token-file" in running.log.splitlines()[-1]
        assert "--insecure-no-token" in running.log.splitlines()[-1]
        assert "Traceback" not in running.log


@pytest.mark.parametrize("permission", [("--api-token", TOKEN), ("--insecure-no-token",)])
def test_a_network_is_served_where_the_owner_has_thought_of_it(permission: tuple[str, ...]) -> None:
    with server("--model", "fake", "--http-uri", "tcp://0.0.0.0:0", *permission) as running:
        port = running.http().rpartition(":")[2]
        assert httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200
        assert running.stop() == 0
        assert TOKEN not in running.log


def test_more_requests_than_allowed_are_refused_until_there_is_room() -> None:
    limits = ("--set", "http.requests_per_minute=30", "--set", "http.request_burst=3")
    with server("--model", "fake", *limits) as running:
        url = running.http()
        with httpx.Client(base_url=url) as client:
            assert [client.get("/v1/models").status_code for _ in range(3)] == [200] * 3
            refused = client.get("/v1/models", headers={"Origin": "http://localhost"})
            assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
            assert 0 < refused.json()["retry_after_ms"] <= 2_000
            assert refused.headers["Retry-After"] in {"1", "2"}
            assert refused.headers["Access-Control-Allow-Origin"] == "http://localhost"
            disguised = client.get("/v1/models", headers={"X-Forwarded-For": "192.0.2.7"})
            assert disguised.status_code == 429
            for _ in range(20):
                assert client.get("/health").status_code == 200
            assert refusal(url) == (429, "rate_limited")
