"""A machine that cannot run the server hears why, instead of dying of it."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from wyoming_stt import hardware as hardware_module
from wyoming_stt.cli.main import app
from wyoming_stt.errors import UnfitMachineError
from wyoming_stt.hardware import Hardware, detect
from wyoming_stt.preflight import check_machine, folder_complaint

DESK = Hardware("a desktop", 8, ("sse4_1", "sse4_2", "avx2"), 16 << 30, "x86_64")
PI_3 = Hardware("a Pi 3", 4, ("asimd",), 900 << 20, "aarch64")


@pytest.mark.parametrize(
    "hardware",
    [
        DESK,
        PI_3,
        replace(DESK, features=()),
        replace(DESK, memory_bytes=0),
        replace(DESK, features=("sse4_1", "sse4_2"), memory_bytes=128 << 20),
        detect(),
    ],
)
def test_a_machine_that_can(hardware: Hardware) -> None:
    check_machine(hardware)


@pytest.mark.parametrize(
    ("hardware", "reason", "remedy"),
    [
        (replace(PI_3, architecture="armv7l"), "armv7l", "64-bit"),
        (replace(DESK, architecture="riscv64"), "riscv64", "x86_64 or aarch64"),
        (replace(DESK, cpu="a Core 2", features=("sse4_1",)), "a Core 2.*lacks sse4_2", "host"),
        (replace(DESK, memory_bytes=64 << 20), "64 MiB", "raise the memory limit"),
    ],
)
def test_a_machine_that_cannot(hardware: Hardware, reason: str, remedy: str) -> None:
    with pytest.raises(UnfitMachineError, match=reason) as caught:
        check_machine(hardware)
    assert remedy in str(caught.value)


def test_it_is_told_before_anything_heavy_is_imported() -> None:
    script = (
        "import sys; from wyoming_stt import hardware\n"
        "hardware.detect = lambda: hardware.Hardware('old', 1, ('sse4_1',), 0, 'x86_64')\n"
        "from wyoming_stt.cli.main import main; sys.argv = ['wyoming-stt', 'serve']\n"
        "try: main()\n"
        "finally: print(sorted({'numpy', 'onnxruntime', 'soxr'} & sys.modules.keys()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (1, "[]")
    assert "lacks sse4_2" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_data_folder_that_can_be_written(tmp_path: Path) -> None:
    assert folder_complaint(tmp_path / "to" / "be" / "made") is None


def test_a_file_in_place_of_the_data_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    complaint = folder_complaint(tmp_path / "file" / "data")
    assert complaint is not None
    assert "--set data_dir=DIR" in complaint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_data_folder_without_rights(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert folder_complaint(tmp_path / "data") is not None


@pytest.mark.parametrize(
    "command", [["serve"], ["worker"], ["info"], ["transcribe", "x.wav"], ["models", "list"]]
)
def test_every_command_looks_before_it_dies(
    command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = Hardware("an old one", 2, ("sse2",), 4 << 30, "x86_64")
    monkeypatch.setattr(hardware_module, "detect", lambda: old)
    result = CliRunner().invoke(app, command)
    assert isinstance(result.exception, UnfitMachineError)
    assert "an old one) lacks sse4_2" in str(result.exception)
