import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.deployment import FOLDER, LISTENS, is_a_command, settings_of

UNIT = (FOLDER / "wyoming-stt.service").read_text()
MOST_EXPOSED = 1.5
"""Of 10, by `systemd-analyze security`. A server must reach the network: 0.9 of it."""

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="no systemd-analyze: apt install systemd"
)


def values(directive: str) -> list[str]:
    return re.findall(rf"^{directive}=(.*)$", UNIT, re.MULTILINE)


def analyze(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze on the unit; a program must be where it says, so any will do."""
    file = folder / "wyoming-stt.service"
    file.write_text(re.sub(r"(?m)^(ExecStart)=\S+", rf"\1={sys.executable}", UNIT))
    return subprocess.run(
        ["systemd-analyze", *command.split(), file], capture_output=True, text=True, check=False
    )


@needs_systemd
def test_systemd_understands_every_line(tmp_path: Path) -> None:
    done = analyze("verify", tmp_path)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@needs_systemd
def test_it_can_do_little_but_serve(tmp_path: Path) -> None:
    done = analyze("security --no-pager --offline=yes", tmp_path)
    exposure = re.search(r"Overall exposure level.*: (\d+\.\d+)", done.stdout)
    assert exposure, done.stderr
    assert float(exposure[1]) <= MOST_EXPOSED


def test_its_command_and_settings_exist() -> None:
    (command,) = values("ExecStart")
    assert is_a_command(command.split())
    variables = dict(value.split("=", 1) for value in values("Environment"))
    assert settings_of(variables).wyoming.uri == LISTENS
    (state,) = values("StateDirectory")
    assert variables["WYOMING_STT_DATA_DIR"] == f"%S/{state}"


def test_it_waits_for_open_utterances() -> None:
    (stop_s,) = values("TimeoutStopSec")
    assert int(stop_s) > settings_of({"WYOMING_STT_WYOMING__URI": LISTENS}).wyoming.drain_s


def test_readiness_is_told_as_systemd_expects() -> None:
    assert values("Type") == ["notify"]
    (families,) = values("RestrictAddressFamilies")
    assert {"AF_UNIX", "AF_NETLINK"} <= set(families.split())
