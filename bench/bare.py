"""sherpa-onnx alone in a process: the least that can be loaded, and the first that can be ready."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from wyoming_stt.models.files import find

__all__ = ["NAME", "BareSherpa", "bare_sherpa"]

NAME = "sherpa-onnx, a bare process"


@dataclass(frozen=True, slots=True)
class BareSherpa:
    """Runs `bare_sherpa.py`."""

    process: psutil.Popen
    started: float
    """`time.perf_counter()` at its start."""

    def decode(self, pcm: bytes) -> str:
        self.process.stdin.write(len(pcm).to_bytes(4, "little") + pcm)
        self.process.stdin.flush()
        text: str = self.process.stdout.readline().decode().strip()
        return text


@contextmanager
def bare_sherpa(model_dir: Path) -> Iterator[BareSherpa]:
    """Start it; it is ready when it decodes."""
    files = find(model_dir)
    command = [sys.executable, str(Path(__file__).with_name("bare_sherpa.py"))]
    command += map(str, (files.tokens, files.encoder, files.decoder, files.joiner))
    started = time.perf_counter()
    process = psutil.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield BareSherpa(process, started)
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()
