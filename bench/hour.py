"""One hour in one file: speed beside sherpa-onnx, memory, words and their times.

The hour repeats a round of recordings, a pause after each and a long one after the round. Ours is
a server as a user starts it, and the file is posted to its HTTP door; sherpa-onnx decodes all of it
as one stream.

When a word was said is asked twice. Rounds are heard alike but for the first ones, so the last one
must have its words where an early one had them: what differs is drift. And a recording by itself
tells when its words come: they differ by a frame of the model or two, because it remembers what was
said before, in an early round as in the last.
"""

import asyncio
import difflib
import math
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import requests
import soundfile

from bench.recognizers import load, sherpa
from bench.support import Recording, options, print_table, recordings, with_silence
from tests.support.program import server
from wyoming_stt.audio.gate import VadOptions
from wyoming_stt.engine import Engine, EngineOptions, ModelSource, UtteranceOptions
from wyoming_stt.events import FinalTranscript, Word
from wyoming_stt.models.base import Recognizer
from wyoming_stt.types import SAMPLE_RATE, seconds

MOST_GROWN_MB = 50
MOST_MOVED_S = 0.05
PATIENCE_S = 1800.0
PAUSE_S = 1.0
ROUND_PAUSE_S = 25.0
"""Longer than `cut.from_s`, so that every round ends with a cut."""
FRAMES = 7680
"""A round is a whole number of every detector's frames, or the next one would be cut elsewhere."""
EARLY_ROUND = 2
"""Counted from 0: by then every round is cut at the same places."""


@dataclass(frozen=True, slots=True)
class Said:
    """A recording, its pause included, at its place in the hour, a sample position."""

    start: int
    recording: Recording

    @property
    def end(self) -> int:
        return self.start + len(self.recording.pcm) // 2


@dataclass(frozen=True, slots=True)
class Heard:
    words: list[Word]
    wall_s: float
    grown_mb: float


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="of audio (%(default)g)")
    arguments = parser.parse_args()
    model = load(arguments.model_dir)
    spoken = _with_pauses(recordings(arguments.recordings, 50))
    size = sum(len(recording.pcm) // 2 for recording in spoken)
    rounds = max(EARLY_ROUND + 2, math.ceil(arguments.minutes * 60 * SAMPLE_RATE / size))
    plan = list(_plan(spoken, rounds))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "hour.flac"
        _write(file, plan)
        alone = asyncio.run(_all_alone(model, spoken))
        heard = _upload(arguments.model_dir, file)
        rival = sherpa(arguments.model_dir, model)
        started = time.perf_counter()
        text = rival.decode(_pcm(file)).text
        theirs_s = time.perf_counter() - started
    length_s = seconds(plan[-1].end)
    truth = [word for said in plan for word in _moved(alone[said.recording.name], said.start)]
    ours = [word.text for word in heard.words]
    print(
        f"{length_s / 60:.0f} minutes, {rounds} rounds of {len(alone)} recordings, through "
        f"/v1/transcribe; time against sherpa-onnx: {heard.wall_s / theirs_s:.2f}.\n"
    )
    rows = [
        ("sherpa-onnx", f"{length_s / theirs_s:.0f}", _errors(truth, text.split()), ""),
        ("ours", f"{length_s / heard.wall_s:.0f}", _errors(truth, ours), f"{heard.grown_mb:.0f}"),
    ]
    print_table(("", "times real time", "words unlike those alone", "RSS grown, MB"), rows)
    early, late = (slice(n * size, (n + 1) * size) for n in (EARLY_ROUND, rounds - 1))
    then, now = _between(heard.words, early), _between(heard.words, late)
    drift = _moves(_moved(then, late.start - early.start), now)
    head = ("start of a word", "words", "median, ms", "p95, ms", "within 50 ms")
    rows = [
        ("last round, against an early one", drift),
        ("early round, against the recordings alone", _moves(_between(truth, early), then)),
        ("last round, against the recordings alone", _moves(_between(truth, late), now)),
    ]
    print_table(head, [_row(*row) for row in rows])
    if heard.grown_mb > MOST_GROWN_MB:
        raise SystemExit(f"memory grew by more than {MOST_GROWN_MB} MB")
    if len(drift) < max(len(then), len(now)) or np.abs(drift).max() > MOST_MOVED_S:
        raise SystemExit("words of the last round are not where they were in an early one")
    if any(abs(np.median(moves)) > MOST_MOVED_S for _, moves in rows):
        raise SystemExit("words are not where they were said")


def _with_pauses(spoken: Sequence[Recording]) -> list[Recording]:
    """Let a pause follow each, and a long one the last."""
    pauses = [PAUSE_S] * (len(spoken) - 1) + [ROUND_PAUSE_S]
    spoken = [with_silence(*pair) for pair in zip(spoken, pauses, strict=True)]
    missing = -sum(len(recording.pcm) // 2 for recording in spoken) % FRAMES
    return [*spoken[:-1], with_silence(spoken[-1], missing / SAMPLE_RATE)]


def _plan(spoken: Sequence[Recording], rounds: int) -> Iterator[Said]:
    start = 0
    for recording in chain.from_iterable(repeat(spoken, rounds)):
        yield Said(start, recording)
        start += len(recording.pcm) // 2


def _write(file: Path, plan: Sequence[Said]) -> None:
    with soundfile.SoundFile(file, "w", SAMPLE_RATE, 1, "PCM_16") as sound:
        for said in plan:
            sound.write(np.frombuffer(said.recording.pcm, "<i2"))


def _pcm(file: Path) -> bytes:
    samples, _ = soundfile.read(file, dtype="int16")
    return bytes(samples.tobytes())


async def _all_alone(model: Recognizer, spoken: Sequence[Recording]) -> dict[str, list[Word]]:
    engine = Engine(ModelSource("bench", lambda: model), EngineOptions())
    await engine.start()
    try:
        return {recording.name: await _alone(engine, recording) for recording in spoken}
    finally:
        await engine.close()


async def _alone(engine: Engine, recording: Recording) -> list[Word]:
    async with engine.open(UtteranceOptions(vad=VadOptions(kind="off"))) as lease:
        await lease.accept(recording.pcm)
        events = await lease.finish()
    return [word for e in events if isinstance(e, FinalTranscript) for word in e.words]


def _upload(model_dir: Path, file: Path) -> Heard:
    """Post the file to a server as a user starts it, and watch its memory meanwhile."""
    limit = f"http.max_body_bytes={file.stat().st_size + 1}"
    with server("--model-dir", model_dir, "--set", limit, patience_s=PATIENCE_S) as running:
        url = running.http()
        running.wait_for("Ready: ")
        process = psutil.Process(running.process.pid)
        before = process.memory_info().rss
        most = [before]
        stop = threading.Event()
        watch = threading.Thread(target=_watch, args=(process, most, stop))
        watch.start()
        started = time.perf_counter()
        with file.open("rb") as content:
            answer = requests.post(f"{url}/v1/transcribe", data=content, timeout=PATIENCE_S)
        wall_s = time.perf_counter() - started
        stop.set()
        watch.join()
    answer.raise_for_status()
    return Heard(list(map(_word, answer.json()["words"])), wall_s, (max(most) - before) / 2**20)


def _watch(process: psutil.Process, most: list[int], stop: threading.Event) -> None:
    while not stop.wait(0.2):
        most.append(process.memory_info().rss)


def _word(spoken: dict[str, Any]) -> Word:
    start, end = (round(spoken[name] * SAMPLE_RATE) for name in ("start", "end"))
    return Word(spoken["word"], start, end, spoken["confidence"])


def _moved(words: Sequence[Word], offset: int) -> list[Word]:
    return [replace(word, start=word.start + offset, end=word.end + offset) for word in words]


def _between(words: Sequence[Word], span: slice) -> list[Word]:
    return [word for word in words if span.start <= word.start < span.stop]


def _moves(these: Sequence[Word], those: Sequence[Word]) -> np.ndarray:
    """Seconds by which words that both have come late in the second."""
    return np.array(
        [
            (other.start - one.start) / SAMPLE_RATE
            for a, b, size in _matches([w.text for w in these], [w.text for w in those])
            for one, other in zip(these[a : a + size], those[b : b + size], strict=True)
        ]
    )


def _row(name: str, moves: np.ndarray) -> tuple[str, int, str, str, str]:
    late = np.abs(moves)
    near = np.mean(late <= MOST_MOVED_S)
    median, p95 = (f"{value * 1000:.0f}" for value in (np.median(moves), np.percentile(late, 95)))
    return name, len(moves), median, p95, f"{near:.1%}"


def _errors(truth: Sequence[Word], heard: Sequence[str]) -> str:
    """Words that have to be put in, taken out or exchanged, by all."""
    numbers = {word: number for number, word in enumerate({*heard, *(w.text for w in truth)})}
    those = np.array([numbers[word] for word in heard])
    steps = np.arange(len(those) + 1)
    row = steps
    for number, word in enumerate(truth, 1):
        new = np.minimum(row[1:] + 1, row[:-1] + (those != numbers[word.text]))
        new = np.concatenate(([number], new))
        row = np.minimum.accumulate(new - steps) + steps
    return f"{row[-1] / len(truth):.1%}"


def _matches(these: Sequence[str], those: Sequence[str]) -> list[tuple[int, int, int]]:
    matcher = difflib.SequenceMatcher(None, these, those, autojunk=False)
    return [(match.a, match.b, match.size) for match in matcher.get_matching_blocks()]


if __name__ == "__main__":
    main()
