"""Whoever starts the server learns from it, without asking, when it listens and when it stops."""

import os
import socket
from pathlib import Path

import pytest

from tests.support.program import run, server


def test_supervisors_hear_that_the_server_listens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = os.pipe()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd, os.fdopen(ours, "rb") as s6:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with server("--model", "fake", "--set", f"readiness.fd={theirs}", fds=[theirs]) as running:
            os.close(theirs)
            # Both at once: a newline and the end of the pipe, long before the server ends.
            assert s6.read() == b"\n"
            assert systemd.recv(100) == b"READY=1"
            assert run("health", "--uri", running.listening()).returncode == 0
            assert running.stop() == 0
            assert systemd.recv(100) == b"STOPPING=1"
