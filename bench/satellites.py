"""Satellites at the pace of speech over Wyoming: from the last audio to the transcript.

While they speak, someone else connects every 100 ms and asks `describe`.
"""

import asyncio
from collections import defaultdict
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

from bench.client import Answer, Spoken, describe, speak
from bench.recognizers import load, sherpa
from bench.servers import Running, running, servers
from bench.support import (
    Recording,
    interleaved,
    median,
    median_ratio,
    milliseconds,
    options,
    percentile,
    print_table,
    recordings,
    require_right,
    with_silence,
)

SATELLITES = {1: 12, 4: 4, 12: 3}
"""How many speak at once, and in how many rounds: the more there are, the more each tells."""
ASK_EVERY_S = 0.1
STAGGER_S = 0.037
"""Nobody begins at the same moment, nor an encoder chunk later."""


@dataclass(slots=True)
class Results:
    """Of one server with one number of satellites."""

    spoken: list[Spoken] = field(default_factory=list)
    right: int = 0
    answers: list[Answer] = field(default_factory=list)
    cpu_s: float = 0.0
    audio_s: float = 0.0


def main() -> None:
    parser = options(__doc__)
    parser.add_argument(
        "--silence",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="after the words; Home Assistant leaves 0.7 (%(default)s)",
    )
    parser.add_argument("--scale", type=float, default=1.0, help="of the rounds (%(default)s)")
    arguments = parser.parse_args()
    spoken = [
        with_silence(recording, arguments.silence)
        for recording in recordings(arguments.recordings, max(SATELLITES), shortest=True)
    ]
    reference = sherpa(arguments.model_dir, load(arguments.model_dir))
    expected = {recording.name: reference.decode(recording.pcm).text for recording in spoken}
    with ExitStack() as stack:
        rivals = [stack.enter_context(running(each)) for each in servers(arguments.model_dir)]
        for rival in rivals:
            asyncio.run(speak(rival.port, spoken[0].pcm, paced=False))
        rows, verdicts = [], []
        for satellites, rounds in SATELLITES.items():
            results: dict[str, Results] = defaultdict(Results)
            starts = range(max(1, round(rounds * arguments.scale)))
            for _, start, rival in interleaved(starts, rivals, 1):
                chosen = [spoken[(start + index) % len(spoken)] for index in range(satellites)]
                asyncio.run(_round(rival, chosen, expected, results[rival.name]))
            rows += [_row(satellites, rival.name, results, rivals[0].name) for rival in rivals]
            ours = results[rivals[-1].name]
            verdicts.append((f"ours, {satellites}", ours.right, len(ours.spoken)))
    print(
        f"{arguments.silence:g} s of silence after the words, 10 ms an event. In ms: from the last "
        "audio to the transcript; describe; connect, from wanting a connection to its describe. "
        "CPU: seconds of the server's processor time for a second of audio.\n"
    )
    head = ("", "satellites", "median", "p95", "longest", "ratio", "describe p95", "longest")
    print_table((*head, "connect, longest", "CPU", "right"), rows)
    require_right(verdicts)


async def _round(
    rival: Running, chosen: list[Recording], expected: dict[str, str], results: Results
) -> None:
    asking = asyncio.create_task(_ask(rival.port, results.answers))
    cpu_s = sum(rival.process.cpu_times()[:2])
    satellites = (_satellite(rival.port, index, each) for index, each in enumerate(chosen))
    spoken = await asyncio.gather(*satellites)
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking
    results.cpu_s += sum(rival.process.cpu_times()[:2]) - cpu_s
    results.audio_s += sum(each.duration_s for each in chosen)
    results.spoken += spoken
    pairs = zip(spoken, chosen, strict=True)
    results.right += sum(said.text == expected[each.name] for said, each in pairs)


async def _satellite(port: int, index: int, recording: Recording) -> Spoken:
    await asyncio.sleep(index * STAGGER_S)
    return await speak(port, recording.pcm)


async def _ask(port: int, answers: list[Answer]) -> None:
    while True:
        answers.append(await describe(port))
        await asyncio.sleep(ASK_EVERY_S)


def _row(satellites: int, name: str, results: dict[str, Results], peer: str) -> tuple[object, ...]:
    mine = results[name]
    latencies = [each.latency_s for each in mine.spoken]
    answers = [answer.answered_s for answer in mine.answers]
    return (
        name,
        satellites,
        milliseconds(median(latencies)),
        milliseconds(percentile(latencies, 95)),
        milliseconds(max(latencies)),
        median_ratio(latencies, [each.latency_s for each in results[peer].spoken]),
        milliseconds(percentile(answers, 95)),
        milliseconds(max(answers)),
        milliseconds(max(answer.waited_s for answer in mine.answers)),
        f"{mine.cpu_s / mine.audio_s:.4f}",
        f"{mine.right}/{len(mine.spoken)}",
    )


if __name__ == "__main__":
    main()
