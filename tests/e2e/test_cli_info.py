"""`info` and `--help` as a user runs them."""

import json
import re
from pathlib import Path

from tests.support.program import run
from wyoming_stt import __version__
from wyoming_stt.selection import TIERS


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
    better = re.fullmatch(
        r"none(?: \(upgrade.enabled is off; otherwise (.+)\))?", facts["serve_upgrade"]
    )
    assert better, "the tests fetch nothing"
    assert better[1] is None or better[1] in facts["serve_model_reason"].split()


def test_info_tells_what_is_not_fetched_and_not_there(tmp_path: Path) -> None:
    fetching = ("info", "--set", "upgrade.enabled=true", "--json")
    better = json.loads(run(*fetching).stdout)["serve_upgrade"]
    offline = json.loads(run(*fetching, "--set", "store.offline=true").stdout)["serve_upgrade"]
    expected = "none" if better == "none" else f"none (store.offline; otherwise {better})"
    assert offline == expected
    assert json.loads(run("info", "--json").stdout)["complaints"] == "none"
    missing = json.loads(run("info", "--model-dir", tmp_path / "nowhere", "--json").stdout)
    assert "which is not there: home-en serves until it is" in missing["serve_model_reason"]


def test_info_tells_the_machine_and_why_not_another_model(tmp_path: Path) -> None:
    facts = json.loads(run("info", "--json").stdout)
    assert 1 <= facts["physical_cores"] <= facts["cores"]
    assert 0 < facts["available_mib"] <= facts["memory_mib"]
    assert isinstance(facts["unknown"], list)
    assert facts["tier"] in {tier.name for tier in TIERS}
    rejected = facts["rejected_models"]
    assert facts["recommended_model"] not in rejected
    assert rejected["offline-en"] == "answers only after the end of speech"
    shown = run("info").stdout
    for label in ("board", "unknown", "tier", "recommended model"):
        assert f"\n{label}  " in shown
    assert "  offline-en: answers only after the end of speech\n" in shown
    (tmp_path / "catalog.d").mkdir()
    (tmp_path / "catalog.d" / "mine.toml").write_text("nonsense")
    broken = run("info", "--set", f"data_dir={tmp_path}")
    assert broken.returncode == 0
    assert "mine.toml" in broken.stdout


def test_help_names_every_command() -> None:
    done = run("--help")
    for command in ("serve", "transcribe", "say", "health", "info"):
        assert f"  {command} " in done.stdout
    assert run("--version").stdout == f"{__version__}\n"
