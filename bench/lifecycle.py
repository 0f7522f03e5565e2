"""The life of a model, measured on a server as a user starts it, against what was promised.

Only the fail-over is timed in this process: it needs a model that fails when it is told to.
"""

import argparse
import asyncio
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil

from bench.client import speak
from bench.support import Recording, median, options, print_table, recordings
from tests.support.engines import OPEN, eventually
from tests.support.program import server
from tests.support.recognizers import ScriptedRecognizer, ScriptedStream
from wyoming_stt.choice import BUILTIN, DEFAULT_MODEL
from wyoming_stt.decoding.hypothesis import EMPTY, Hypothesis
from wyoming_stt.engine import Engine, EngineOptions, ModelSource
from wyoming_stt.errors import InferenceError
from wyoming_stt.models.registry import load_model
from wyoming_stt.types import SAMPLE_RATE

MB = 1_000_000
SPOKEN = 7
"""Recordings that each server hears, each once; in every round another is the first."""
SETTLED_S = 300.0
"""Audio after which memory is looked at for the first time: by then every buffer has its size."""
PATIENCE_S = 3_600.0


@dataclass(frozen=True, slots=True)
class Promise:
    """A row of the table."""

    what: str
    unit: str
    most: float | None = None
    least: float | None = None

    def row(self, values: list[float]) -> tuple[str, str, str, str]:
        value = median(values)
        bound = f"≤ {self.most:g}" if self.most is not None else f"≥ {self.least:g}"
        is_kept = value <= self.most if self.most is not None else value >= (self.least or 0)
        verdict = "yes" if is_kept else "**no**"
        return (f"{self.what}, {self.unit}", f"{value:.2f}", bound, verdict)


COLD = Promise("load and warm-up, cold", "s", most=1.0)
WARM = Promise("load and warm-up, warm", "s", most=0.4)
FIRST = Promise("first utterance against later ones", "ratio", most=1.2)
IDLE = Promise("resident memory of the idle server", "MB", most=150)
RETURNED = Promise("memory that an unload returns", "%", least=90)
FAILOVER = Promise("from the last failure to a fallback that serves", "s", most=1.0)
GROWTH = Promise("growth over the streaming", "MB", most=5)


def main() -> None:
    parser = options(__doc__ or "")
    parser.add_argument(
        "--rounds", type=int, default=SPOKEN, help="of starts, 2 or more (%(default)s)"
    )
    parser.add_argument(
        "--minutes", type=float, default=60.0, help="of audio to stream (%(default)g)"
    )
    if (BUILTIN / DEFAULT_MODEL).is_dir():
        parser.set_defaults(model_dir=BUILTIN / DEFAULT_MODEL)
    arguments = parser.parse_args()
    if arguments.rounds < 2:
        parser.error(
            "--rounds: 2 at least, for another server must hear later what one heard first"
        )
    spoken = recordings(arguments.recordings, 12, shortest=True)
    found: dict[Promise, list[float]] = {}
    servers: list[dict[str, float]] = []
    for number in range(arguments.rounds):
        first = number % SPOKEN
        turns = [*spoken[first:SPOKEN], *spoken[:first]]
        for promise, value in _one_round(arguments.model_dir, turns, servers):
            found.setdefault(promise, []).append(value)
        found.setdefault(FAILOVER, []).append(asyncio.run(_fail_over(arguments.model_dir)))
    found[FIRST] = _first_against_later(servers)
    found[GROWTH] = [_growth(arguments, spoken)]
    print(
        f"{arguments.model_dir.name}; medians of {arguments.rounds} rounds; the growth is that of "
        f"{arguments.minutes:g} minutes of audio in utterances, as fast as they are decoded, after "
        f"the first {SETTLED_S / 60:g}.\n"
    )
    head = ("", "measured", "promised", "kept")
    print_table(head, [promise.row(values) for promise, values in found.items()])


def _one_round(
    model_dir: Path, turns: list[Recording], servers: list[dict[str, float]]
) -> Iterator[tuple[Promise, float]]:
    with tempfile.TemporaryDirectory() as data_dir:
        with _running(model_dir, data_dir) as cold:
            yield COLD, cold.load_s()
            cold.utterance_s(turns[0])  # for the sake of the client, which has a first time, too
        with _running(model_dir, data_dir) as warm:
            yield WARM, warm.load_s()
            yield IDLE, warm.resident_mb()
            servers.append({spoken.name: warm.utterance_s(spoken) for spoken in turns})
            yield RETURNED, warm.returned(turns[0])


def _first_against_later(servers: list[dict[str, float]]) -> list[float]:
    """Compare the first recording of a server with the same one, said later to other servers.

    Not with the next of the same server, which is longer or shorter; nor with itself said again,
    which is quicker whenever that is: the search has looked up its words.

    Args:
        servers: Seconds that each recording took, by its name, in the order of the server.
    """
    ratios = []
    for took in servers:
        first = next(iter(took))
        later_s = [other[first] for other in servers if next(iter(other)) != first]
        ratios.append(took[first] / median(later_s))
    return ratios


def _growth(arguments: argparse.Namespace, spoken: list[Recording]) -> float:
    total_s, before = 0.0, None
    with (
        tempfile.TemporaryDirectory() as data_dir,
        _running(arguments.model_dir, data_dir) as running,
    ):
        for recording in cycle(spoken):
            if before is None and total_s >= SETTLED_S:
                before = running.resident_mb()
            if before is not None and total_s >= SETTLED_S + 60 * arguments.minutes:
                return running.resident_mb() - before
            running.utterance_s(recording)
            total_s += recording.duration_s
    raise AssertionError


@dataclass(frozen=True, slots=True)
class _Server:
    port: int
    url: str
    process: psutil.Process

    def load_s(self) -> float:
        health = self._get("/health")
        took_ms: float = health["load_time_ms"] + health["warmup_time_ms"]
        return took_ms / 1000

    def resident_mb(self) -> float:
        return self.process.memory_info().rss / MB

    def utterance_s(self, spoken: Recording) -> float:
        """Say it as fast as it is taken; return how long it takes from the connection on."""
        started = time.perf_counter()
        said = asyncio.run(speak(self.port, spoken.pcm, paced=False))
        if not said.text:
            raise SystemExit(f"{spoken.name}: nothing was heard in it")
        return time.perf_counter() - started

    def returned(self, spoken: Recording) -> float:
        """Return the share of a loaded model's memory that unloading it gives back, in percent.

        What the first load leaves behind for good, such as the libraries' own tables, is no part of
        a model: the server without one is the beginning.
        """
        self._unload()
        without = self.resident_mb()
        self.utterance_s(spoken)
        loaded = self.resident_mb()
        self._unload()
        return 100 * (loaded - self.resident_mb()) / (loaded - without)

    def _unload(self) -> None:
        model = self._get("/health")["model"]
        answer = httpx.post(f"{self.url}/v1/admin/models/{model}/unload")
        assert answer.json()["model_state"] == "unloaded", answer.text

    def _get(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = httpx.get(self.url + path).json()
        return found


@contextmanager
def _running(model_dir: Path, data_dir: str) -> Iterator[_Server]:
    arguments = ("--model-dir", model_dir, "--set", f"data_dir={data_dir}")
    with server(*arguments, patience_s=PATIENCE_S) as running:
        port = urlsplit(running.listening()).port
        url = running.http()
        running.wait_for("Ready: ")
        assert port is not None
        assert running.process.stderr is not None
        # A log that nobody reads would stop the server when the pipe is full.
        reader = threading.Thread(target=running.process.stderr.read)
        reader.start()
        try:
            yield _Server(port, url, psutil.Process(running.process.pid))
        finally:
            running.process.kill()
            reader.join()


async def _fail_over(model_dir: Path) -> float:
    """Return the time from the failure that was one too many until the fallback serves."""
    fails = threading.Event()

    def push(_: ScriptedStream) -> Hypothesis:
        if fails.is_set():
            raise ValueError("told to fail")
        return EMPTY

    engine = Engine(
        ModelSource("failing", lambda: ScriptedRecognizer(push=push)),
        EngineOptions(workers=1),
        fallback=ModelSource("fallback", lambda: load_model(model_dir, languages=["en"])),
    )
    await engine.ready()
    fails.set()
    for _ in range(3):
        async with engine.open(OPEN) as lease:
            try:
                await lease.accept(bytes(2 * SAMPLE_RATE))
            except InferenceError:
                continue
        raise AssertionError
    started = time.perf_counter()
    await eventually(lambda: engine.lifecycle.on_fallback)
    took_s = time.perf_counter() - started
    await engine.close()
    return took_s


if __name__ == "__main__":
    main()
