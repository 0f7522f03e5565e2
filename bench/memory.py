"""Memory of processes that have served: resident, and what would be free again without them."""

import asyncio

import psutil

from bench.bare import NAME, bare_sherpa
from bench.client import speak
from bench.servers import running, servers
from bench.support import Recording, options, print_table, recordings

__all__ = ["AT_ONCE", "serve", "sizes"]

AT_ONCE = 4
_MB = 1024 * 1024


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--count", type=int, default=24, help="recordings (%(default)s)")
    arguments = parser.parse_args()
    spoken = recordings(arguments.recordings, arguments.count, shortest=True)
    with bare_sherpa(arguments.model_dir) as sherpa:
        for recording in spoken:
            _check(recording, sherpa.decode(recording.pcm))
        rows = [(NAME, *sizes(sherpa.process))]
    for server in servers(arguments.model_dir):
        with running(server) as rival:
            asyncio.run(serve(rival.port, spoken))
            rows.append((f"{server.name}, server", *sizes(rival.process)))
    print(f"After {len(spoken)} utterances; the servers heard {AT_ONCE} at once.\n")
    print_table(("", "RSS MB", "PSS MB", "USS MB"), rows)


async def serve(port: int, spoken: list[Recording]) -> None:
    async def satellite(first: int) -> None:
        for recording in spoken[first::AT_ONCE]:
            said = await speak(port, recording.pcm, paced=False)
            _check(recording, said.text)

    await asyncio.gather(*map(satellite, range(AT_ONCE)))


def _check(recording: Recording, text: str) -> None:
    if not text:
        raise SystemExit(f"{recording.name}: nothing was heard in it")


def sizes(process: psutil.Process) -> tuple[int, int, int]:
    sizes = [each.memory_full_info() for each in (process, *process.children(recursive=True))]
    return (
        round(sum(size.rss for size in sizes) / _MB),
        round(sum(size.pss for size in sizes) / _MB),
        round(sum(size.uss for size in sizes) / _MB),
    )


if __name__ == "__main__":
    main()
