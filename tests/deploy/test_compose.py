import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.deployment import FOLDER, LISTENS, is_a_command, settings_of

ROOT = FOLDER.parents[1]
PLAIN = FOLDER / "compose.yaml"
CUDA = FOLDER / "compose.cuda.yaml"
CLUSTER = FOLDER / "compose.cluster.yaml"


def service(file: Path) -> dict:
    return yaml.safe_load(file.read_text())["services"]["wyoming-stt"]


@pytest.mark.parametrize("file", [PLAIN, CUDA, CLUSTER], ids=lambda file: file.name)
def test_follows_the_specification(file: Path) -> None:
    program = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*program, file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_its_commands_and_settings_exist() -> None:
    plain = service(PLAIN)
    settings = settings_of({**plain["environment"], **service(CUDA)["environment"]})
    assert settings.wyoming.uri == LISTENS
    assert settings.ort.provider == "cuda"
    assert is_a_command(plain["entrypoint"])
    assert plain["healthcheck"]["test"] == ["CMD", "wyoming-stt", "health"]


def test_it_waits_for_open_utterances() -> None:
    settings = settings_of(service(PLAIN)["environment"])
    assert int(service(PLAIN)["stop_grace_period"].removesuffix("s")) > settings.wyoming.drain_s


@pytest.mark.parametrize("file", [PLAIN, CUDA, CLUSTER], ids=lambda file: file.name)
def test_the_image_knows_the_build_argument(file: Path) -> None:
    arguments = service(file)["build"]["args"]
    dockerfile = (ROOT / "Dockerfile").read_text()
    for name in arguments:
        assert re.search(rf"^ARG {name}\b", dockerfile, re.MULTILINE)
    assert (ROOT / f"addon/requirements/{arguments['ACCELERATOR']}.txt").is_file()


def test_the_context_is_the_repository() -> None:
    assert (FOLDER / service(PLAIN)["build"]["context"]).resolve() == ROOT


def test_the_user_is_made_in_the_image() -> None:
    assert re.search(rf"useradd .*\b{service(PLAIN)['user']}\b", (ROOT / "Dockerfile").read_text())


def test_three_workers_share_the_queue_of_a_server_that_does_not_work() -> None:
    services = yaml.safe_load(CLUSTER.read_text())["services"]
    ours = services["wyoming-stt"], services["worker"]
    server, worker = (settings_of(each["environment"]) for each in ours)
    assert (server.jobs.workers, worker.jobs.workers) == (0, 1)
    assert services["worker"]["deploy"]["replicas"] == 3
    assert (server.jobs.backend, server.data_dir) == (worker.jobs.backend, worker.data_dir)
    assert all(is_a_command(each["entrypoint"]) for each in ours)
    assert services["worker"]["volumes"] == services["wyoming-stt"]["volumes"]
    assert "yes" in services["redis"]["command"], "Redis must keep what it acknowledges"
