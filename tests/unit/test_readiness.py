import os
import socket
from pathlib import Path

import pytest

from wyoming_stt.errors import SettingsError
from wyoming_stt.readiness import ReadinessOptions, notify_listening, notify_stopping


def test_a_descriptor_gets_one_newline_and_is_closed() -> None:
    ours, theirs = os.pipe()
    notify_listening(ReadinessOptions(fd=theirs))
    with os.fdopen(ours, "rb") as pipe:
        assert pipe.read() == b"\n"
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(theirs)


def test_a_descriptor_that_nobody_handed_down_is_only_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    os.close(theirs)
    notify_listening(ReadinessOptions(fd=theirs))
    assert "Bad file descriptor" in caplog.text


@pytest.mark.parametrize("fd", [0, 1, 2, -1])
def test_the_descriptors_of_the_log_are_refused(fd: int) -> None:
    with pytest.raises(SettingsError, match=r"readiness\.fd"):
        ReadinessOptions(fd=fd)


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_hears_of_the_start_and_of_the_stop(tmp_path: Path, abstract: bool) -> None:
    name = f"@{tmp_path}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"\0{name[1:]}" if abstract else name)
        options = ReadinessOptions(socket=name)
        notify_listening(options)
        assert systemd.recv(100) == b"READY=1"
        notify_stopping(options)
        assert systemd.recv(100) == b"STOPPING=1"


def test_a_socket_without_a_reader_is_only_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    notify_stopping(ReadinessOptions(socket=str(tmp_path / "gone")))
    assert "STOPPING=1" in caplog.text


def test_by_default_nobody_is_told(caplog: pytest.LogCaptureFixture) -> None:
    notify_listening(ReadinessOptions())
    notify_stopping(ReadinessOptions())
    assert caplog.records == []
