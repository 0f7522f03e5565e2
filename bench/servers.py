"""The contestants behind a socket: our server and wyoming-faster-whisper, each in a process."""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.client import describe

__all__ = ["Running", "Server", "running", "servers"]

PEER = "wyoming-faster-whisper"
PEER_VERSION = "3.8.1"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wyoming-stt-bench"
_START_TIMEOUT_S = 60.0
_POLL_S = 0.005


@dataclass(frozen=True, slots=True)
class Server:
    """How to start one: port to command line."""

    name: str
    command: Callable[[int], list[str]]


@dataclass(frozen=True, slots=True)
class Running:
    """One that answers."""

    name: str
    port: int
    process: psutil.Process
    started: float
    """`time.perf_counter()` at its start."""
    described: float
    """The same when it first answered `describe`."""


def servers(model_dir: Path) -> list[Server]:
    """Prepare both, the peer first; installs it where that has not happened."""
    python = _peer_python()
    # It takes a model by its name, and looks for a folder of that name in its download folder.
    models = Path(tempfile.mkdtemp(prefix="wyoming-stt-bench-"))
    (models / model_dir.name).symlink_to(model_dir.resolve())
    # Greedy search on one thread, as ours; left alone it takes a beam of 5 and 4 threads.
    peer = [str(python), "-m", "wyoming_faster_whisper", "--model", model_dir.name]
    peer += ["--stt-library", "sherpa", "--sherpa-streaming", "--local-files-only"]
    peer += ["--data-dir", str(models), "--download-dir", str(models), "--language", "en"]
    peer += ["--beam-size", "1", "--cpu-threads", "1"]
    ours = [sys.executable, "-m", "wyoming_stt", "serve", "--model-dir", str(model_dir.resolve())]
    ours += ["--language", "en", "--no-zeroconf", "--no-http"]
    return [
        Server(PEER, lambda port: [*peer, "--uri", f"tcp://127.0.0.1:{port}"]),
        Server("ours", lambda port: [*ours, "--uri", f"tcp://127.0.0.1:{port}"]),
    ]


@contextmanager
def running(server: Server) -> Iterator[Running]:
    """Start a server, wait until it answers, and end it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryFile() as log:
        started = time.perf_counter()
        process = subprocess.Popen(server.command(port), stdout=log, stderr=log)
        try:
            described = _wait(process, port, started)
            if described is None:
                log.seek(0)
                raise SystemExit(f"{server.name} does not start:\n{log.read().decode()}")
            yield Running(server.name, port, psutil.Process(process.pid), started, described)
        finally:
            process.terminate()
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, started: float) -> float | None:
    while process.poll() is None and time.perf_counter() - started < _START_TIMEOUT_S:
        try:
            asyncio.run(describe(port))
        except OSError:
            time.sleep(_POLL_S)
        else:
            return time.perf_counter()
    return None


def _peer_python() -> Path:
    folder = _CACHE / f"{PEER}-{PEER_VERSION}"
    python, complete = folder / "bin" / "python", folder / ".complete"
    if not complete.exists():
        print(f"Installing {PEER} {PEER_VERSION} in {folder}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        wanted = [f"{PEER}[sherpa]=={PEER_VERSION}", "zeroconf", "huggingface_hub"]
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *wanted], check=True)
        complete.touch()
    return python
