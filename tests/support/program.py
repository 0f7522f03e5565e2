"""The program as a user runs it: a process with arguments, two outputs and an exit code."""

import contextlib
import re
import signal
import subprocess
import sys
import threading
import wave
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

PROGRAM = (sys.executable, "-m", "wyoming_stt")
ANY_PORTS = ("--uri", "tcp://127.0.0.1:0", "--http-uri", "tcp://127.0.0.1:0")
PATIENCE_S = 30.0


def run(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    """Run a command to its end; its outputs are text."""
    done = subprocess.run(
        [*PROGRAM, *arguments], input=stdin, capture_output=True, timeout=PATIENCE_S, check=False
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


class Server:
    """`serve` as a process; its log is read line by line."""

    def __init__(self, *arguments: str | Path, fds: Sequence[int] = ()) -> None:
        self.process = subprocess.Popen(
            [*PROGRAM, "serve", "--no-zeroconf", *ANY_PORTS, *arguments],
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=fds,
        )
        self.log = ""

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Read the log until a line matches."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log += line
            if match := re.search(pattern, line):
                return match
        raise AssertionError(f"no {pattern!r} in the log:\n{self.log}")

    def listening(self) -> str:
        """Return its URI."""
        return self.wait_for(r"Listening on (tcp://\S+)")[1].rstrip(";")

    def http(self) -> str:
        """Return the URL of its HTTP door, which it names after its other address."""
        return self.wait_for(r"HTTP on (http://[^,\s]+)")[1]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop; returns the exit code."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; returns the exit code."""
        _, rest = self.process.communicate(timeout=PATIENCE_S)
        self.log += rest
        return self.process.returncode


@contextlib.contextmanager
def server(
    *arguments: str | Path, fds: Sequence[int] = (), patience_s: float = PATIENCE_S
) -> Iterator[Server]:
    """Run a server; whatever happens, it is gone at the end, and at the end of our patience."""
    running = Server(*arguments, fds=fds)
    watchdog = threading.Timer(patience_s, running.process.kill)
    watchdog.start()
    try:
        yield running
    finally:
        watchdog.cancel()
        running.process.kill()
        running.process.communicate()


def write_recording(file: Path, duration_s: float = 1.92, rate: int = 16_000) -> Path:
    """Write a loud recording; the model `fake` hears a word every 320 ms of it."""
    noise = np.random.default_rng(1).normal(0, 3_000, round(duration_s * rate))
    with wave.open(str(file), "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(rate)
        recording.writeframes(noise.astype("<i2").tobytes())
    return file
