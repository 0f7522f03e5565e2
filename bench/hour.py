"""One hour in one file: speed beside sherpa-onnx, memory, words and their times.

The hour is made by repeating recordings. What each says by itself, and when, is the truth for what
is heard of it in the hour. Ours is a server as a user starts it, and the file is posted to its HTTP
door; sherpa-onnx decodes all of it as one stream.
"""

import asyncio
import difflib
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import requests
import soundfile

from bench.recognizers import load, sherpa
from bench.support import Recording, options, print_table, recordings
from tests.support.program import server
from wyoming_stt.audio.gate import VadOptions
from wyoming_stt.engine import Engine, EngineOptions, ModelSource, UtteranceOptions
from wyoming_stt.events import FinalTranscript, Word
from wyoming_stt.models.base import Recognizer
from wyoming_stt.types import SAMPLE_RATE, seconds

MOST_GROWN_MB = 50
MOST_MOVED_S = 0.05
PATIENCE_S = 1800.0
MOST_LESS_NEAR = 0.05
"""What was said before moves a word by a frame of the model, or two, in its first minute as in its
last: the share of words that it moves has to stay the same."""


@dataclass(frozen=True, slots=True)
class Said:
    """A recording at its place in the hour, a sample position."""

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
    spoken = recordings(arguments.recordings, 50)
    plan = list(_plan(spoken, arguments.minutes * 60))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "hour.flac"
        _write(file, plan)
        alone = asyncio.run(_all_alone(model, plan))
        heard = _upload(arguments.model_dir, file)
        rival = sherpa(arguments.model_dir, model)
        started = time.perf_counter()
        text = rival.decode(_pcm(file)).text
        theirs_s = time.perf_counter() - started
    length_s = seconds(plan[-1].end)
    truth = [word for said in plan for word in _moved(alone[said.recording.name], said.start)]
    ours = [word.text for word in heard.words]
    # The same recordings each time, so that nothing differs but how late in the hour they come.
    once = sum(len(recording.pcm) // 2 for recording in spoken)
    last = max(0, plan[-1].end // once - 1) * once
    begin = _moves(truth, heard.words, 0, once)
    end = _moves(truth, heard.words, last, last + once)
    print(
        f"{length_s / 60:.0f} minutes of {len(alone)} recordings through /v1/transcribe; "
        f"time against sherpa-onnx: {heard.wall_s / theirs_s:.2f}.\n"
    )
    rows = [
        ("sherpa-onnx", f"{length_s / theirs_s:.0f}", _errors(truth, text.split()), ""),
        ("ours", f"{length_s / heard.wall_s:.0f}", _errors(truth, ours), f"{heard.grown_mb:.0f}"),
    ]
    print_table(("", "times real time", "words unlike those alone", "RSS grown, MB"), rows)
    head = ("start of a word, against the truth", "words", "median, ms", "within 50 ms")
    print_table(head, (_row("heard first", begin), _row("heard last", end)))
    if heard.grown_mb > MOST_GROWN_MB:
        raise SystemExit(f"memory grew by more than {MOST_GROWN_MB} MB")
    if abs(np.median(end)) > MOST_MOVED_S or _near(end) < _near(begin) - MOST_LESS_NEAR:
        raise SystemExit("words are not where they were said")


def _plan(spoken: Sequence[Recording], length_s: float) -> Iterator[Said]:
    start = 0
    for recording in cycle(spoken):
        if start >= length_s * SAMPLE_RATE:
            return
        yield Said(start, recording)
        start += len(recording.pcm) // 2


def _write(file: Path, plan: Sequence[Said]) -> None:
    with soundfile.SoundFile(file, "w", SAMPLE_RATE, 1, "PCM_16") as sound:
        for said in plan:
            sound.write(np.frombuffer(said.recording.pcm, "<i2"))


def _pcm(file: Path) -> bytes:
    samples, _ = soundfile.read(file, dtype="int16")
    return bytes(samples.tobytes())


async def _all_alone(model: Recognizer, plan: Sequence[Said]) -> dict[str, list[Word]]:
    engine = Engine(ModelSource("bench", lambda: model), EngineOptions())
    await engine.start()
    try:
        spoken = {said.recording.name: said.recording for said in plan}
        return {name: await _alone(engine, recording) for name, recording in spoken.items()}
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


def _moved(words: Sequence[Word], offset: int) -> Iterator[Word]:
    for word in words:
        yield replace(word, start=word.start + offset, end=word.end + offset)


def _moves(truth: Sequence[Word], heard: Sequence[Word], first: int, last: int) -> np.ndarray:
    """Seconds by which words that both have, between two positions, come late."""
    these, those = (
        [word for word in words if first <= word.start < last] for words in (truth, heard)
    )
    return np.array(
        [
            (other.start - one.start) / SAMPLE_RATE
            for a, b, size in _matches([w.text for w in these], [w.text for w in those])
            for one, other in zip(these[a : a + size], those[b : b + size], strict=True)
        ]
    )


def _near(moves: np.ndarray) -> float:
    return float(np.mean(np.abs(moves) <= MOST_MOVED_S))


def _row(name: str, moves: np.ndarray) -> tuple[str, int, str, str]:
    return name, len(moves), f"{np.median(moves) * 1000:.0f}", f"{_near(moves):.1%}"


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
