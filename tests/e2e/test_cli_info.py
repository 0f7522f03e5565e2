"""`info` and `--help` as a user runs them."""

import json

from tests.support.program import run
from wyoming_stt import __version__


def test_info_tells_what_would_be_served() -> None:
    done = run("info", "--model", "fake", "--set", "engine.workers=3", "--json")
    facts = json.loads(done.stdout)
    assert done.returncode == 0
    assert facts["wyoming_stt"] == __version__
    assert facts["serve_model"] == "fake"
    assert facts["serve_workers"].startswith("3 ")
    assert facts["serve_profile"].split(" ")[0] in {"small", "balanced"}
    assert "CPUExecutionProvider" in facts["onnxruntime_providers"]
    assert {"fake", "zipformer2"} <= set(facts["model_families"])


def test_info_tells_the_model_inside_and_a_better_one() -> None:
    done = run("info", "--json")
    facts = json.loads(done.stdout)
    assert facts["serve_model"] == "home-en"
    assert facts["serve_upgrade"] in {"none", *facts["serve_model_reason"].split()}


def test_help_names_every_command() -> None:
    done = run("--help")
    for command in ("serve", "transcribe", "say", "health", "info"):
        assert f"  {command} " in done.stdout
    assert run("--version").stdout == f"{__version__}\n"
