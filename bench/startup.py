"""From the start of a process until it is of use: first `describe`, first transcript."""

import asyncio
import time
from collections import defaultdict
from pathlib import Path

from bench.bare import NAME, bare_sherpa
from bench.client import speak
from bench.servers import Server, running, servers
from bench.support import (
    Recording,
    interleaved,
    median,
    median_ratio,
    options,
    print_table,
    recordings,
)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="of starts (%(default)s)")
    arguments = parser.parse_args()
    spoken = recordings(arguments.recordings, 1, shortest=True)[0]
    prepared = {server.name: server for server in servers(arguments.model_dir)}
    rivals = [NAME, *prepared]
    described: dict[str, list[float]] = defaultdict(list)
    transcribed: dict[str, list[float]] = defaultdict(list)
    for turn, _, rival in interleaved([None], rivals, arguments.rounds + 1):
        if rival in prepared:
            first, second = _start_server(prepared[rival], spoken)
        else:
            first, second = None, _start_bare(arguments.model_dir, spoken)
        # The first start of each finds its files on the disk, the others in memory.
        if turn > 0:
            described[rival] += [] if first is None else [first]
            transcribed[rival].append(second)
    print(
        f"{arguments.rounds} starts; the transcript is that of {spoken.duration_s:.1f} s of "
        "speech, sent at once as soon as `describe` is answered.\n"
    )
    rows = [
        (
            rival,
            f"{median(described[rival]):.2f}" if described[rival] else "",
            f"{median(transcribed[rival]):.2f}",
            median_ratio(transcribed[rival], transcribed[rivals[1]]),
        )
        for rival in rivals
    ]
    print_table(("", "first describe s", "first transcript s", "ratio"), rows)


def _start_server(server: Server, spoken: Recording) -> tuple[float, float]:
    with running(server) as process:
        said = asyncio.run(speak(process.port, spoken.pcm, paced=False))
        _check(server.name, said.text)
        return process.described - process.started, time.perf_counter() - process.started


def _start_bare(model_dir: Path, spoken: Recording) -> float:
    with bare_sherpa(model_dir) as sherpa:
        _check(NAME, sherpa.decode(spoken.pcm))
        return time.perf_counter() - sherpa.started


def _check(name: str, text: str) -> None:
    if not text:
        raise SystemExit(f"{name} heard nothing")


if __name__ == "__main__":
    main()
