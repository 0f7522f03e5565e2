"""The docs are true: generated parts are current, examples run, links lead somewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.generate import PAGES, regenerate
from tests.support.program import server, write_recording
from wyoming_stt.cli.choices import DEFAULT_URI
from wyoming_stt.cli.main import app
from wyoming_stt.cli.models import models
from wyoming_stt.settings import setting_names

ROOT = Path(__file__).parents[1]
USAGE = (ROOT / "docs" / "usage.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(
    r"<!-- tested(?P<served> with a server)? -->\n```sh\n(?P<script>.+?)```", re.DOTALL
)
EXAMPLES = list(EXAMPLE.finditer(USAGE))


def pages() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@pages()
def test_generated_parts_are_current(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert regenerate(text) == text, "run ./scripts/docs"


def test_every_command_is_documented() -> None:
    for command in app.registered_commands:
        assert f"<!-- begin: help {command.callback.__name__} -->" in USAGE
    text = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    for command in models.registered_commands:
        assert f"<!-- begin: help models {command.name or command.callback.__name__} -->" in text


def test_every_setting_is_documented() -> None:
    for name in setting_names():
        row = next((line for line in USAGE.splitlines() if line.startswith(f"| `{name}` |")), "")
        assert row, f"{name} is not in docs/usage.md: run ./scripts/docs"
        assert not row.endswith("|  |"), f"{name} has no docstring"


@pages()
def test_options_in_examples_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8").replace("./scripts/serve", "wyoming-stt serve")
    for command, line in re.findall(r"\bwyoming-stt ([a-z]+)\b(.*)", text):
        if f"begin: help {command}" in USAGE:
            known = part(f"help {command}")
            for option in re.findall(r"(?<![\w-])--[a-z-]+", line):
                assert option in known, f"{command} has no {option}"


@pages()
def test_links_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_examples_run(example: re.Match[str], tmp_path: Path) -> None:
    write_recording(tmp_path / "recording.wav")
    if example["served"]:
        with server("--model", "fake") as running:
            sh(example["script"].replace(DEFAULT_URI, running.listening()), tmp_path)
    else:
        sh(example["script"], tmp_path)


def part(name: str) -> str:
    """Return a generated part of docs/usage.md."""
    return USAGE.split(f"<!-- begin: {name} -->")[1].split("<!-- end -->")[0]


def sh(script: str, folder: Path) -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-eu", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
