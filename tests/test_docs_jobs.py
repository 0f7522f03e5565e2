"""Every example of docs/jobs.md runs, and prints what stands below it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.program import server, write_recording

PAGE = Path(__file__).parents[1] / "docs" / "jobs.md"
HERE = "http://127.0.0.1:10301"
EXAMPLE = re.compile(
    r"^```(?P<language>sh|python)\n(?P<code>.+?)^```\n"
    r"(?:\n```(?P<kind>json|text)\n(?P<output>.+?)^```\n)",
    re.DOTALL | re.MULTILINE,
)
EXAMPLES = list(EXAMPLE.finditer(PAGE.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data = tmp_path_factory.mktemp("data")
    with server("--model", "fake", "--set", f"data_dir={data}", patience_s=120) as running:
        yield running.http()


def test_there_are_examples() -> None:
    assert {example["language"] for example in EXAMPLES} == {"sh", "python"}


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
