"""Several streams at once in process: how many seconds of audio a second of time decodes."""

import time
from collections import defaultdict

from bench.recognizers import contestants
from bench.support import (
    CORES,
    Recording,
    interleaved,
    median,
    median_ratio,
    options,
    print_table,
    recordings,
    require_right,
)

STREAMS = (1, 4, 16)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--rounds", type=int, default=8, help="for each row (%(default)s)")
    arguments = parser.parse_args()
    spoken = recordings(arguments.recordings, max(STREAMS))
    rivals = contestants(arguments.model_dir)
    expected = {recording.name: rivals[0].decode(recording.pcm).text for recording in spoken}

    rows, verdicts = [], []
    for streams in STREAMS:
        taken: dict[str, list[float]] = defaultdict(list)
        wrong: dict[str, int] = defaultdict(int)
        choices = [_choose(spoken, streams, number) for number in range(arguments.rounds)]
        for _, chosen, rival in interleaved(choices, rivals, 1):
            started = time.perf_counter()
            texts = rival.decode_together([recording.pcm for recording in chosen])
            audio_s = sum(recording.duration_s for recording in chosen)
            taken[rival.name].append((time.perf_counter() - started) / audio_s)
            pairs = zip(texts, chosen, strict=True)
            wrong[rival.name] += sum(text != expected[spoke.name] for text, spoke in pairs)
        reference = taken[rivals[0].name]
        for rival in rivals:
            mine = taken[rival.name]
            ratio = median_ratio(reference, mine)
            total = streams * arguments.rounds
            right = total - wrong[rival.name]
            verdicts.append((f"{rival.name}, {streams} streams", right, total))
            speed = f"{1 / median(mine):.0f}"
            rows.append((rival.name, streams, speed, ratio, f"{right}/{total}"))
    print(
        f"{CORES} cores; {arguments.rounds} rounds, 100 ms a push, as fast as possible; "
        "ratio: speed against sherpa-onnx.\n"
    )
    print_table(("", "streams", "times real time", "ratio", "right"), rows)
    require_right(verdicts)


def _choose(spoken: list[Recording], streams: int, number: int) -> list[Recording]:
    """Take other recordings in every round."""
    return [spoken[(number + index) % len(spoken)] for index in range(streams)]


if __name__ == "__main__":
    main()
