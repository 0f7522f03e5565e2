from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.support.onnx_models import build, damage
from wyoming_stt.decoding.hypothesis import EMPTY, Hypothesis
from wyoming_stt.errors import ModelFileError
from wyoming_stt.models.offline import BufferedStream, OfflineTransducer
from wyoming_stt.ort import OrtOptions
from wyoming_stt.types import Samples


class Counter:
    """Recognises how much it was given."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, samples: Samples) -> Hypothesis:
        self.calls += 1
        return Hypothesis(num_frames=len(samples))


def zeros(size: int) -> Samples:
    return np.zeros(size, np.float32)


def load(folder: Path) -> OfflineTransducer:
    return OfflineTransducer(folder, languages=("vi",), options=OrtOptions())


def test_nothing_is_known_before_the_end() -> None:
    counter = Counter()
    stream = BufferedStream(counter)
    assert stream.push(zeros(3)) == stream.push(zeros(4)) == EMPTY
    assert counter.calls == 0
    assert stream.finish() == stream.finish() == Hypothesis(num_frames=7)
    assert counter.calls == 1


def test_a_fork_shares_the_past_only() -> None:
    stream = BufferedStream(Counter())
    stream.push(zeros(3))
    fork = stream.fork()
    stream.push(zeros(4))
    fork.push(zeros(5))
    assert fork.finish().num_frames == 8
    assert stream.finish().num_frames == 7
    assert stream.fork().finish().num_frames == 7


def test_facts(built: Callable[[str], Path]) -> None:
    info = load(built("offline-zipformer")).info
    assert (info.name, info.family) == ("offline-zipformer", "offline")
    assert (info.languages, info.streaming) == (("vi",), False)


def test_a_streaming_encoder_is_not_taken_for_an_offline_one(
    built: Callable[[str], Path],
) -> None:
    with pytest.raises(ModelFileError, match="expected inputs x, x_lens, found x, state0, state1"):
        load(built("lstm"))


@pytest.mark.parametrize(
    ("break_it", "culprit"),
    [
        (damage.break_truncated_encoder, "encoder.onnx"),
        (damage.break_missing_metadata, "decoder.onnx"),
        (damage.break_missing_tokens, "tokens.txt"),
        (damage.break_token_hole, "tokens.txt"),
    ],
)
def test_damage_is_named(tmp_path: Path, break_it: Callable[[Path], None], culprit: str) -> None:
    break_it(build("offline-zipformer", tmp_path))
    with pytest.raises(ModelFileError) as caught:
        load(tmp_path)
    assert caught.value.path == tmp_path / culprit
