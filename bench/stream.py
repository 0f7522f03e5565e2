"""One stream in process: real-time factor, and how long the text takes after the last audio."""

from collections import defaultdict

from bench.recognizers import PUSH_S, Contestant, Decoded, contestants
from bench.support import (
    interleaved,
    median,
    median_ratio,
    milliseconds,
    options,
    percentile,
    print_table,
    recordings,
    require_right,
)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--count", type=int, default=50, help="recordings (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of all recordings (%(default)s)")
    arguments = parser.parse_args()
    spoken = recordings(arguments.recordings, arguments.count)
    rivals = contestants(arguments.model_dir)
    for rival in rivals:
        rival.decode(spoken[0].pcm)

    results: dict[str, list[Decoded]] = defaultdict(list)
    for _, recording, rival in interleaved(spoken, rivals, arguments.rounds):
        results[rival.name].append(rival.decode(recording.pcm))
    durations = [recording.duration_s for recording in spoken] * arguments.rounds
    print(
        f"{len(spoken)} recordings, {sum(durations) / arguments.rounds:.0f} s, "
        f"{arguments.rounds} rounds, {PUSH_S * 1000:.0f} ms a push, as fast as possible. Medians; "
        "finish: from the last push to the text; ratio: time against sherpa-onnx.\n"
    )
    _print(rivals, results, durations)


def _print(
    rivals: list[Contestant], results: dict[str, list[Decoded]], durations: list[float]
) -> None:
    reference = results[rivals[0].name]
    head = (
        "",
        "RTF",
        "ratio",
        "RTF, CPU",
        "ratio",
        "finish, median ms",
        "p95 ms",
        "ratio",
        "right",
    )
    rows, verdicts = [], []
    for rival in rivals:
        mine = results[rival.name]
        finish = [each.finish_s for each in mine]
        right = sum(a.text == b.text for a, b in zip(mine, reference, strict=True))
        rows.append(
            (
                rival.name,
                f"{median(each.wall_s / s for each, s in zip(mine, durations, strict=True)):.4f}",
                median_ratio([each.wall_s for each in mine], [each.wall_s for each in reference]),
                f"{median(each.cpu_s / s for each, s in zip(mine, durations, strict=True)):.4f}",
                median_ratio([each.cpu_s for each in mine], [each.cpu_s for each in reference]),
                milliseconds(median(finish)),
                milliseconds(percentile(finish, 95)),
                median_ratio(finish, [each.finish_s for each in reference]),
                f"{right}/{len(mine)}",
            )
        )
        verdicts.append((rival.name, right, len(mine)))
    print_table(head, rows)
    require_right(verdicts)


if __name__ == "__main__":
    main()
