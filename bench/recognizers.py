"""The contestants in this process: sherpa-onnx, and ours without and with its engine."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import sherpa_onnx

from bench.support import CORES, pieces, samples_of
from wyoming_stt.audio.gate import VadOptions
from wyoming_stt.decoding.options import SearchOptions
from wyoming_stt.engine import Engine, EngineOptions, Lease, ModelSource, UtteranceOptions
from wyoming_stt.events import FinalTranscript
from wyoming_stt.features.fbank import FRAME_SHIFT, samples_for
from wyoming_stt.models.files import find
from wyoming_stt.models.registry import load_model
from wyoming_stt.models.transducer import StreamingTransducer
from wyoming_stt.types import SAMPLE_RATE

__all__ = ["Contestant", "Decoded", "contestants", "load", "sherpa"]

PUSH_S = 0.1
"""Audio handed over at a time."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """One utterance; durations in seconds."""

    text: str
    wall_s: float
    cpu_s: float
    """Of all threads of this process."""
    finish_s: float
    """From the last piece of audio to the text."""


class Contestant(Protocol):
    """One way to recognise speech."""

    name: str

    def decode(self, pcm: bytes) -> Decoded:
        """Decode one utterance as fast as possible."""
        ...

    def decode_together(self, utterances: Sequence[bytes]) -> list[str]:
        """Decode several at the same time, each in its own stream."""
        ...


def load(model_dir: Path) -> StreamingTransducer:
    model = load_model(model_dir, languages=["en"])
    if not isinstance(model, StreamingTransducer):
        raise SystemExit(f"{model_dir}: sherpa-onnx is compared on streaming transducers only")
    return model


def contestants(model_dir: Path) -> list[Contestant]:
    """Make all of them, sherpa-onnx first."""
    model = load(model_dir)
    return [
        sherpa(model_dir, model),
        Direct("ours, recogniser alone", lambda: _Ours(model)),
        Served("ours, engine, no voice detector", model, VadOptions(kind="off")),
        Served("ours, engine, as served", model, VadOptions()),
    ]


def sherpa(model_dir: Path, model: StreamingTransducer) -> "Direct":
    """Make sherpa-onnx on one thread; `model` tells how long a tail the encoder needs."""
    files = find(model_dir)
    recognizer = sherpa_onnx.OnlineRecognizer.from_transducer(
        tokens=str(files.tokens),
        encoder=str(files.encoder),
        decoder=str(files.decoder),
        joiner=str(files.joiner),
        num_threads=1,
    )
    return Direct("sherpa-onnx", lambda: _Sherpa(recognizer, model))


class _Utterance(Protocol):
    def push(self, pcm: bytes) -> None: ...

    def finish(self) -> str: ...


class _Sherpa:
    def __init__(
        self, recognizer: sherpa_onnx.OnlineRecognizer, model: StreamingTransducer
    ) -> None:
        self._recognizer = recognizer
        self._stream = recognizer.create_stream()
        self._shape = model.shape
        self._num_samples = 0

    def push(self, pcm: bytes) -> None:
        self._accept(samples_of(pcm))

    def finish(self) -> str:
        frames = -(-self._num_samples // FRAME_SHIFT)
        chunks = -(-frames // self._shape.chunk_shift)
        # The same chunks as ours; sherpa-onnx begins one when a frame more than it takes is there.
        needed = samples_for((chunks - 1) * self._shape.chunk_shift + self._shape.chunk_size + 1)
        self._accept(np.zeros(needed - self._num_samples, np.float32))
        return self._recognizer.get_result(self._stream).strip()

    def _accept(self, samples: np.ndarray) -> None:
        self._num_samples += len(samples)
        self._stream.accept_waveform(SAMPLE_RATE, samples)
        while self._recognizer.is_ready(self._stream):
            self._recognizer.decode_stream(self._stream)


class _Ours:
    def __init__(self, model: StreamingTransducer) -> None:
        self._tokens = model.tokens
        self._stream = model.open(SearchOptions())

    def push(self, pcm: bytes) -> None:
        self._stream.push(samples_of(pcm))

    def finish(self) -> str:
        return self._tokens.decode(self._stream.finish().token_ids).strip()


class Direct:
    """Calls a recogniser from plain threads: the least that can stand between it and the audio."""

    def __init__(self, name: str, begin: Callable[[], _Utterance]) -> None:
        self.name = name
        self._begin = begin

    def decode(self, pcm: bytes) -> Decoded:
        *head, last = pieces(pcm, PUSH_S)
        wall, cpu = time.perf_counter(), time.process_time()
        utterance = self._begin()
        for piece in head:
            utterance.push(piece)
        spoken = time.perf_counter()
        utterance.push(last)
        text = utterance.finish()
        ended = time.perf_counter()
        return Decoded(text, ended - wall, time.process_time() - cpu, ended - spoken)

    def decode_together(self, utterances: Sequence[bytes]) -> list[str]:
        texts = [""] * len(utterances)
        threads = min(CORES, len(utterances))

        def work(first: int) -> None:
            mine = range(first, len(utterances), threads)
            streams = {index: self._begin() for index in mine}
            waiting = {index: iter(pieces(utterances[index], PUSH_S)) for index in mine}
            while waiting:
                for index, more in list(waiting.items()):
                    piece = next(more, None)
                    if piece is None:
                        texts[index] = streams[index].finish()
                        del waiting[index]
                    else:
                        streams[index].push(piece)

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, range(threads)))
        return texts


class Served:
    """Goes through the engine, as every door of the server does."""

    def __init__(self, name: str, model: StreamingTransducer, vad: VadOptions) -> None:
        self.name = name
        self._options = UtteranceOptions(vad=vad)
        self._loop = asyncio.Runner()
        self._engine = self._loop.run(_start(model))

    def decode(self, pcm: bytes) -> Decoded:
        return self._loop.run(self._decode(pcm))

    def decode_together(self, utterances: Sequence[bytes]) -> list[str]:
        return self._loop.run(self._decode_together(utterances))

    async def _decode(self, pcm: bytes) -> Decoded:
        *head, last = pieces(pcm, PUSH_S)
        wall, cpu = time.perf_counter(), time.process_time()
        async with self._engine.open(self._options) as lease:
            for piece in head:
                await lease.accept(piece)
            spoken = time.perf_counter()
            await lease.accept(last)
            text = await _finish(lease)
            ended = time.perf_counter()
        return Decoded(text, ended - wall, time.process_time() - cpu, ended - spoken)

    async def _decode_together(self, utterances: Sequence[bytes]) -> list[str]:
        decoded = await asyncio.gather(*map(self._decode, utterances))
        return [each.text for each in decoded]


async def _start(model: StreamingTransducer) -> Engine:
    engine = Engine(ModelSource("bench", lambda: model), EngineOptions())
    await engine.start()
    await engine.ready()
    return engine


async def _finish(lease: Lease) -> str:
    events = await lease.finish()
    return next(event.text for event in events if isinstance(event, FinalTranscript)).strip()
