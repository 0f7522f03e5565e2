"""What each `profile` costs and gains: memory, processor time, and how soon the answer comes."""

import asyncio
import sys
from pathlib import Path

import psutil

from bench.client import speak
from bench.memory import AT_ONCE, serve, sizes
from bench.servers import Server, running
from bench.support import (
    Recording,
    interleaved,
    median,
    milliseconds,
    options,
    print_table,
    recordings,
)
from wyoming_stt.hardware import detect
from wyoming_stt.profile import PROFILES


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--count", type=int, default=16, help="recordings (%(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="of starts (%(default)s)")
    arguments = parser.parse_args()
    spoken = recordings(arguments.recordings, arguments.count, shortest=True)
    servers = [_server(profile, arguments.model_dir) for profile in PROFILES]
    measured: dict[str, list[tuple[float, float, float]]] = {name: [] for name in PROFILES}
    for _, _, server in interleaved([None], servers, arguments.rounds):
        with running(server) as process:
            measured[server.name].append(_measure(process.port, process.process, spoken))
    hardware = detect()
    print(
        f"{hardware.cores} cores, {hardware.memory_bytes >> 20} MiB. Latency and processor time of "
        f"{len(spoken)} recordings one after the other at the pace of speech, memory after the "
        f"same {AT_ONCE} at once; medians of {arguments.rounds} starts.\n"
    )
    rows = []
    for name, results in measured.items():
        latency_s, share, resident = (median(column) for column in zip(*results, strict=True))
        rows.append((f"`{name}`", milliseconds(latency_s), f"{share * 100:.1f}", f"{resident:.0f}"))
    print_table(("profile", "latency ms", "% of a core while speaking", "RSS MB"), rows)


def _server(profile: str, model_dir: Path) -> Server:
    command = [sys.executable, "-m", "wyoming_stt", "serve", "--model-dir", str(model_dir)]
    command += ["--no-zeroconf", "--set", f"profile={profile}"]
    return Server(profile, lambda port: [*command, "--uri", f"tcp://127.0.0.1:{port}"])


def _measure(
    port: int, process: psutil.Process, spoken: list[Recording]
) -> tuple[float, float, float]:
    """Return latency in seconds, processor time by audio time, and memory in MB."""
    asyncio.run(speak(port, spoken[0].pcm, paced=False))  # until the model is loaded
    before = sum(process.cpu_times()[:2])
    latencies = [asyncio.run(speak(port, recording.pcm)).latency_s for recording in spoken]
    busy_s = sum(process.cpu_times()[:2]) - before
    asyncio.run(serve(port, spoken))
    audio_s = sum(recording.duration_s for recording in spoken)
    return median(latencies), busy_s / audio_s, sizes(process)[0]


if __name__ == "__main__":
    main()
