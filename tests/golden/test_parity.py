"""The same tokens as sherpa-onnx, id by id: the real model and every family with random weights."""

import functools
import itertools
import json
import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import sherpa_onnx
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from sentencepiece import SentencePieceProcessor

from tests.support.onnx_models import FAMILIES, OFFLINE_FAMILIES, build
from tests.support.onnx_models.audio import speechlike
from tests.support.shared import MODEL, needs_shared, recordings
from wyoming_stt.decoding.options import Hotword, SearchOptions
from wyoming_stt.events import Event
from wyoming_stt.features.fbank import samples_for
from wyoming_stt.models.base import Recognizer
from wyoming_stt.models.files import find
from wyoming_stt.models.onnx_metadata import read_metadata
from wyoming_stt.models.registry import load_model
from wyoming_stt.session import Session, UtteranceOptions
from wyoming_stt.types import Samples

METHODS = {"greedy": "greedy_search", "beam": "modified_beam_search"}


class Reference:
    """sherpa-onnx on the files that our loader would choose, one utterance at a time."""

    def __init__(self, folder: Path, method: str, **options: object) -> None:
        files = find(folder)
        metadata = read_metadata(files.encoder)
        self._online = "decode_chunk_len" in metadata
        if self._online:
            self._shift, self._size = int(metadata["decode_chunk_len"]), int(metadata["T"])
        kind = sherpa_onnx.OnlineRecognizer if self._online else sherpa_onnx.OfflineRecognizer
        self._recognizer = kind.from_transducer(
            tokens=str(files.tokens),
            encoder=str(files.encoder),
            decoder=str(files.decoder),
            joiner=str(files.joiner),
            num_threads=1,
            decoding_method=METHODS[method],
            **options,
        )

    def pieces(self, samples: Samples) -> list[str]:
        stream = self._recognizer.create_stream()
        if not self._online:
            stream.accept_waveform(16_000, samples)
            self._recognizer.decode_stream(stream)
            return list(stream.result.tokens)
        stream.accept_waveform(16_000, self.with_tail(samples))
        while self._recognizer.is_ready(stream):
            self._recognizer.decode_stream(stream)
        return list(self._recognizer.tokens(stream))

    def with_tail(self, samples: Samples) -> Samples:
        """Append our tail and one frame more, for which sherpa-onnx waits and never uses."""
        chunks = math.ceil(math.ceil(len(samples) / 160) / self._shift)
        frames = (chunks - 1) * self._shift + self._size + 1
        return np.pad(samples, (0, max(0, samples_for(frames) - len(samples))))


def our_pieces(recognizer: Recognizer, method: str, samples: Samples) -> list[str]:
    stream = recognizer.open(SearchOptions(method=method))
    for start in range(0, len(samples), 1600):
        stream.push(samples[start : start + 1600])
    pieces = [recognizer.tokens.pieces[token] for token in stream.finish().token_ids]
    return [piece.replace("▁", " ") for piece in pieces]


def compare(folder: Path, method: str, sounds: list[Samples]) -> list[bool]:
    """Whether each sound gives the same tokens; two utterances at a time, as there are cores."""
    recognizer, reference = load_model(folder, languages=["en"]), Reference(folder, method)

    def same(samples: Samples) -> bool:
        return our_pieces(recognizer, method, samples) == reference.pieces(samples)

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(same, sounds))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("family", FAMILIES)
def test_random_weights(family: str, method: str, tmp_path: Path) -> None:
    folder = build(family, tmp_path / family)
    sounds = [speechlike(seconds, seed) for seed, seconds in enumerate((0.7, 2.3, 5.0))]
    assert compare(folder, method, sounds) == [True] * len(sounds)


@pytest.mark.parametrize("family", [f for f in FAMILIES if f not in OFFLINE_FAMILIES])
def test_random_weights_in_int8(family: str, tmp_path: Path) -> None:
    folder = build(family, tmp_path / family, int8=True)
    assert compare(folder, "greedy", [speechlike(4.0, 1)]) == [True]


@needs_shared
@pytest.mark.model
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("method", "share"), [("greedy", 1.0), ("beam", 0.98)])
def test_real_model_on_people(method: str, share: float) -> None:
    people = recordings("librispeech-other-a") + recordings("coffee-a", most=100)
    sounds = [soundfile.read(recording.path, dtype="float32")[0] for recording in people]
    same = compare(MODEL, method, sounds)
    print(f"{method}: the same tokens as sherpa-onnx on {sum(same)} of {len(same)} recordings")
    assert sum(same) >= share * len(same)


@needs_shared
@pytest.mark.model
@pytest.mark.slow
def test_hotwords_weigh_the_same(tmp_path: Path) -> None:
    """Before the end, where ours takes back the boosts of phrases that were only begun."""
    people = recordings("coffee-a", most=25)
    slots = [json.loads(recording.transcript)["slots"].values() for recording in people]
    names = sorted({name.strip().upper() for values in slots for name in values})
    (tmp_path / "hotwords.txt").write_text("\n".join(names))
    pieces = SentencePieceProcessor(model_file=str(MODEL / "bpe.model"))
    vocabulary = [f"{pieces.id_to_piece(i)}\t{pieces.get_score(i)}" for i in range(len(pieces))]
    (tmp_path / "bpe.vocab").write_text("\n".join(vocabulary))
    reference = Reference(
        MODEL,
        "beam",
        hotwords_file=str(tmp_path / "hotwords.txt"),
        hotwords_score=2.0,
        modeling_unit="bpe",
        bpe_vocab=str(tmp_path / "bpe.vocab"),
    )
    recognizer = load_model(MODEL, languages=["en"])
    options = SearchOptions(hotwords=tuple(map(Hotword, names)), hotwords_score=2.0)
    for recording in people:
        samples = soundfile.read(recording.path, dtype="float32")[0]
        heard = recognizer.open(options).push(reference.with_tail(samples))
        ours = [recognizer.tokens.pieces[token].replace("▁", " ") for token in heard.token_ids]
        assert ours == reference.pieces(samples)


@needs_shared
@pytest.mark.model
@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(3, 20_000), min_size=1, max_size=12))
def test_real_model_in_any_chunks(sizes: list[int]) -> None:
    """Bytes in, words out: cut anywhere, also inside a sample, the transcript is the same."""
    whole, pcm, recognizer = _whole()
    session = Session(recognizer, UtteranceOptions())
    start, cuts = 0, itertools.cycle(sizes)
    while start < len(pcm):
        size = next(cuts)
        session.accept(pcm[start : start + size])
        start += size
    assert session.finish()[-1] == whole


@functools.cache
def _whole() -> tuple[Event, bytes, Recognizer]:
    samples, _ = soundfile.read(recordings("librispeech-other-a")[10].path, dtype="int16")
    pcm = samples[: 4 * 16_000].tobytes()
    recognizer = load_model(MODEL, languages=["en"])
    session = Session(recognizer, UtteranceOptions())
    session.accept(pcm)
    return session.finish()[-1], pcm, recognizer
