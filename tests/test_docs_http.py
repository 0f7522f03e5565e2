"""Every example of docs/http-api.md runs, and prints what stands below it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.program import server, write_recording

PAGE = Path(__file__).parents[1] / "docs" / "http-api.md"
HERE = "http://127.0.0.1:10301"
HERE_TOO = "ws://127.0.0.1:10301"
EXAMPLE = re.compile(
    r"^```(?P<language>sh|python)\n(?P<code>.+?)^```\n"
    r"(?:\n```(?:json|text)\n(?P<output>.+?)^```\n)?",
    re.DOTALL | re.MULTILINE,
)
EXAMPLES = list(EXAMPLE.finditer(PAGE.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with server("--model", "fake", "--set", "http.metrics=true", patience_s=120) as running:
        yield running.http()


BY_OPENAI = {
    "client.audio.transcriptions.create": "/v1/audio/transcriptions",
    "client.models.list": "/v1/models",
    "client.models.retrieve": "/v1/models/fake",
}
"""Calls of OpenAI's client, and where they go."""
ELSEWHERE = ("/v1/jobs", "/jobs", "/transcribe", "/v1/queue", "/queue", "/v1/admin")
"""Routes of docs/jobs.md, and those of the owner, of which one stands for the others."""


@pytest.mark.parametrize("language", ["sh", "python"])
def test_there_is_an_example_for_every_route(language: str, url: str) -> None:
    paths = httpx.get(f"{url}/openapi.json").json()["paths"]
    routes = {path.replace("{model_id}", "fake") for path in paths}
    routes = {path for path in routes if not path.startswith(ELSEWHERE)}
    code = "".join(example["code"] for example in EXAMPLES if example["language"] == language)
    called = set(re.findall(rf"{HERE}([\w/.-]+)", code))
    called |= {path for call, path in BY_OPENAI.items() if call in code}
    assert routes | {"/docs", "/openapi.json"} <= called
    assert any(path.startswith("/v1/admin") for path in called)
    if language == "python":
        assert f"{HERE_TOO}/v1/ws" in code


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_the_examples_run(example: re.Match[str], url: str, tmp_path: Path) -> None:
    write_recording(tmp_path / "recording.wav")
    shell = ["sh", "-eu", "-c"] if example["language"] == "sh" else [sys.executable, "-c"]
    done = subprocess.run(
        [*shell, example["code"].replace(HERE, url).replace(HERE_TOO, url.replace("http", "ws"))],
        cwd=tmp_path,
        env={**os.environ, "PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
    for line in (example["output"] or "").splitlines():
        assert line in done.stdout
