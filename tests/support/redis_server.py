"""A Redis of the test's own, as Debian packages it."""

import contextlib
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.certificates import Certificate

__all__ = ["RedisServer", "needs_redis", "redis_server"]

PROGRAM = shutil.which("redis-server")
needs_redis = pytest.mark.skipif(
    PROGRAM is None, reason="no redis-server here (apt-get install redis-server)"
)
PATIENCE_S = 20.0


class RedisServer:
    """Keeps all that it acknowledged, like one that a queue should be kept in."""

    def __init__(
        self, folder: Path, password: str | None = None, certificate: Certificate | None = None
    ) -> None:
        self._folder = folder
        self._password = password
        self._certificate = certificate
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        self.starts = 0

    @property
    def url(self) -> str:
        secret = f":{self._password}@" if self._password else ""
        if self._certificate is None:
            return f"redis://{secret}127.0.0.1:{self._port}/0"
        trusted = f"ssl_ca_certs={self._certificate.file}"
        return f"rediss://{secret}127.0.0.1:{self._port}/0?{trusted}"

    def start(self) -> None:
        assert PROGRAM is not None
        self.starts += 1
        secret = ("--requirepass", self._password) if self._password else ()
        port: tuple[object, ...] = ("--port", str(self._port))
        if self._certificate is not None:
            port = ("--port", "0", "--tls-port", str(self._port), "--tls-auth-clients", "no")
            port += ("--tls-cert-file", self._certificate.file)
            port += ("--tls-key-file", self._certificate.key)
        self._process = subprocess.Popen(
            [
                *(PROGRAM, *port, "--bind", "127.0.0.1"),
                *("--dir", self._folder, "--save", "", "--appendonly", "yes"),
                *("--appendfsync", "always", *secret),
            ],
            stdout=subprocess.DEVNULL,
        )
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port)):
                return
            time.sleep(0.02)
        raise AssertionError("redis-server does not listen")

    def pause(self) -> None:
        """Go on to take connections, and answer nobody."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextlib.contextmanager
def redis_server(
    folder: Path, password: str | None = None, certificate: Certificate | None = None
) -> Iterator[RedisServer]:
    server = RedisServer(folder, password, certificate)
    server.start()
    try:
        yield server
    finally:
        server.stop()
