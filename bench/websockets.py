"""Fifty WebSocket clients, all silent but four: what the silent ones cost, whom they slow down.

A silent one sends the noise of a quiet room; that of a louder one, which the voice detector has to
listen to, and frames shorter than usual are measured without a limit. Their cost is what the server
takes with them, less what it takes with nobody there. Fails where they cost more than MOST of a
core together, or where the last words do not come at the pace of speech.
"""

import asyncio
import itertools
import json
import math
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect

from bench.servers import Running, Server, running
from bench.support import (
    Recording,
    median,
    milliseconds,
    noise,
    options,
    percentile,
    pieces,
    print_table,
    recordings,
)

CLIENTS = 50
SPEAKERS = 4
ROUNDS = 3
SETTLE_S = 4.0
"""Until the silent ones have connected and are known to be silent."""
FRAME_S = 0.1
"""What clients send at a time; shorter frames cost more, and are measured without a limit."""
MOST = 0.03
MOST_LATENCY_S = 1.0
"""Of 95 in a hundred: whoever is not served at the pace of speech is soon further behind."""
RATE = 16_000
QUIET, LOUDER = 4, 50
"""Of 16-bit full scale: a quiet room, and one with a fan."""


@dataclass(frozen=True, slots=True)
class Silent:
    """Clients that stay connected and say nothing."""

    rate: int = RATE
    frame_s: float = FRAME_S
    noise: int = QUIET
    number: int = CLIENTS - SPEAKERS

    @property
    def name(self) -> str:
        level_db = 20 * math.log10(self.noise / 2**15)
        return f"{self.rate // 1000} kHz, {self.frame_s * 1000:g} ms, {level_db:.0f} dBFS"

    @asynccontextmanager
    async def connected(self, url: str) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._send(url, index)) for index in range(self.number)]
        await asyncio.sleep(SETTLE_S)
        try:
            yield
            for task in tasks:
                if task.done():
                    task.result()  # it should not have ended
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _send(self, url: str, index: int) -> None:
        faster = self.rate / RATE  # as many samples as this rate has in a second
        room = pieces(noise(faster, self.noise), self.frame_s * faster)
        await asyncio.sleep(index * self.frame_s / self.number)
        async with _ready(url, self.rate) as client:
            await _send_paced(client, itertools.cycle(room), self.frame_s)


MEASURED = (
    Silent(),
    Silent(rate=48_000),
    Silent(frame_s=0.02),
    Silent(noise=LOUDER),
    Silent(rate=48_000, noise=LOUDER),
)


def main() -> None:
    parser = options(__doc__.splitlines()[0])
    parser.add_argument(
        "--seconds", type=float, default=20.0, metavar="N", help="of a measurement (%(default)s)"
    )
    arguments = parser.parse_args()
    spoken = recordings(arguments.recordings, SPEAKERS, shortest=True)
    with _server(arguments.model_dir) as (server, url):
        asyncio.run(_say(url, spoken[0]))  # what is done only once should not count
        costs = [asyncio.run(_costs(server, url, each, arguments.seconds)) for each in MEASURED]
        latencies = asyncio.run(_latencies(url, spoken, arguments.seconds))
    print("Processor time of the server, in % of one core.\n")
    print_table(
        ("frames of the silent ones", "nobody there", f"{MEASURED[0].number} silent", "they cost"),
        [
            (silent.name, *(f"{100 * share:.2f}" for share in (nobody, busy, busy - nobody)))
            for silent, (nobody, busy) in zip(MEASURED, costs, strict=True)
        ],
    )
    print(f"{SPEAKERS} speak: ms from the end of the audio to the last words.\n")
    print_table(
        ("", "utterances", "median", "p95", "longest"),
        [
            (name, len(all_), *map(milliseconds, (median(all_), percentile(all_, 95), max(all_))))
            for name, all_ in latencies.items()
        ],
    )
    _judge(costs, latencies)


def _judge(costs: list[tuple[float, float]], latencies: dict[str, list[float]]) -> None:
    for silent, (nobody, busy) in zip(MEASURED, costs, strict=True):
        if silent.frame_s == FRAME_S and silent.noise == QUIET and busy - nobody > MOST:
            raise SystemExit(f"{silent.name}: the silent ones cost more than {100 * MOST:g} %")
    if any(percentile(each, 95) > MOST_LATENCY_S for each in latencies.values()):
        raise SystemExit("speakers had to wait for their words")


@contextmanager
def _server(model_dir: Path) -> Iterator[tuple[Running, str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        http_port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "wyoming_stt",
        "serve",
        "--model-dir",
        str(model_dir.resolve()),
    ]
    command += ["--language", "en", "--no-zeroconf", "--http-uri", f"tcp://127.0.0.1:{http_port}"]
    ours = Server("ours", lambda port: [*command, "--uri", f"tcp://127.0.0.1:{port}"])
    with running(ours) as server:
        yield server, f"ws://127.0.0.1:{http_port}/v1/ws"


async def _costs(
    server: Running, url: str, silent: Silent, duration_s: float
) -> tuple[float, float]:
    """Return the share of a core that the server takes: with nobody there, with the silent ones."""
    nobody = await _share(server, duration_s)
    async with silent.connected(url):
        return nobody, await _share(server, duration_s)


async def _share(server: Running, duration_s: float) -> float:
    before, started = sum(server.process.cpu_times()[:2]), time.perf_counter()
    await asyncio.sleep(duration_s)
    used_s = sum(server.process.cpu_times()[:2]) - before
    return used_s / (time.perf_counter() - started)


async def _latencies(
    url: str, spoken: list[Recording], duration_s: float
) -> dict[str, list[float]]:
    alone: list[float] = []
    beside: list[float] = []
    for _ in range(ROUNDS):
        alone += await _speakers(url, spoken, duration_s / ROUNDS)
        async with Silent().connected(url):
            beside += await _speakers(url, spoken, duration_s / ROUNDS)
    return {"alone": alone, f"beside {Silent().number} silent ones": beside}


async def _speakers(url: str, spoken: list[Recording], duration_s: float) -> list[float]:
    until = time.perf_counter() + duration_s
    latencies: list[float] = []

    async def speak(recording: Recording) -> None:
        while time.perf_counter() < until:
            latencies.append(await _say(url, recording))

    await asyncio.gather(*map(speak, spoken))
    return latencies


async def _say(url: str, recording: Recording) -> float:
    """Speak at the pace of speech; return the seconds from the end to the last words."""
    async with _ready(url, RATE) as client:
        await _send_paced(client, iter(pieces(recording.pcm, FRAME_S)), FRAME_S)
        ended = time.perf_counter()
        await client.send('{"type": "stop"}')
        texts = [json.loads(message)["text"] async for message in client]
        if not any(texts):
            raise SystemExit(f"no words for {recording.name}")
        return time.perf_counter() - ended


@asynccontextmanager
async def _ready(url: str, rate: int) -> AsyncIterator[ClientConnection]:
    async with connect(url, compression=None) as client:
        await client.recv()
        await client.send(json.dumps({"type": "configure", "sample_rate": rate}))
        yield client


async def _send_paced(client: ClientConnection, frames: Iterator[bytes], frame_s: float) -> None:
    due = time.perf_counter()
    for frame in frames:
        due += frame_s
        await asyncio.sleep(due - time.perf_counter())
        await client.send(frame)


if __name__ == "__main__":
    main()
