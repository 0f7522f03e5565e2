"""Every example of docs/jobs.md runs, and prints what stands below it."""

import contextlib
import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.program import PROGRAM, server, write_recording
from tests.support.redis_server import needs_redis, redis_server

PAGE = Path(__file__).parents[1] / "docs" / "jobs.md"
HERE = "http://127.0.0.1:10301"
EXAMPLE = re.compile(
    r"^```(?P<language>sh|python)\n(?P<code>.+?)^```\n"
    r"(?:\n```(?P<kind>json|text)\n(?P<output>.+?)^```\n)",
    re.DOTALL | re.MULTILINE,
)
EXAMPLES = list(EXAMPLE.finditer(PAGE.read_text(encoding="utf-8")))
CLUSTER = re.compile(r"^```\n(?P<lines>wyoming-stt serve .+?)^```\n", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data = tmp_path_factory.mktemp("data")
    with server("--model", "fake", "--set", f"data_dir={data}", patience_s=120) as running:
        yield running.http()


def test_there_are_examples() -> None:
    assert {example["language"] for example in EXAMPLES} == {"sh", "python"}


@needs_redis
def test_the_cluster_runs(tmp_path: Path) -> None:
    """Each line as it stands there, with a Redis and a folder of ours, on one machine."""
    text = CLUSTER.search(PAGE.read_text(encoding="utf-8"))["lines"]
    with redis_server(tmp_path) as redis, contextlib.ExitStack() as stack:
        text = text.replace("redis://queue.lan:6379/0", redis.url)
        text = text.replace("/srv/jobs", str(tmp_path / "jobs"))
        first, *others = (shlex.split(line)[1:] for line in text.splitlines())
        common = ["--model", "fake", "--set", "upgrade.enabled=false", "--set"]
        assert [command[0] for command in (first, *others)] == ["serve", "worker", "worker"]
        for number, command in enumerate(others):
            data = f"data_dir={tmp_path / str(number)}"
            worker = stack.enter_context(subprocess.Popen([*PROGRAM, *command, *common, data]))
            stack.callback(worker.kill)
        data = f"data_dir={tmp_path / 'server'}"
        url = stack.enter_context(server(*first[1:], *common, data, patience_s=120)).http()
        write_recording(tmp_path / "recording.wav")
        recording = (tmp_path / "recording.wav").read_bytes()
        job = httpx.post(f"{url}/v1/jobs", content=recording).json()["job_id"]
        ended = httpx.get(f"{url}/v1/jobs/{job}/events", timeout=60).text
        assert '"type": "completed"' in ended
        while httpx.get(f"{url}/v1/queue/stats").json()["workers"] < 2:
            time.sleep(0.1)
        assert httpx.get(f"{url}/v1/jobs/{job}").json()["result"]["text"].startswith("turn on")


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_the_examples_run(example: re.Match[str], url: str, tmp_path: Path) -> None:
    write_recording(tmp_path / "recording.wav")
    shell = ["sh", "-eu", "-c"] if example["language"] == "sh" else [sys.executable, "-c"]
    done = subprocess.run(
        [*shell, example["code"].replace(HERE, url)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    if example["kind"] == "json":
        assert json.loads(done.stdout).keys() == json.loads(example["output"]).keys()
    else:
        assert done.stdout.strip() == example["output"].strip()
