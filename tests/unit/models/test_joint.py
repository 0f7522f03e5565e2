from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.support.onnx_models import build, damage
from wyoming_stt.errors import ModelFileError
from wyoming_stt.models.files import find
from wyoming_stt.models.joint import JointWeights, OrtJoint
from wyoming_stt.ort import OrtModel, OrtOptions
from wyoming_stt.text.tokens import TokenTable

CONTEXTS = [(-1, 0), (0, 5), (5, 9), (9, 5), (-1, 0)]


def load(folder: Path) -> JointWeights:
    files = find(folder)
    return JointWeights(files, TokenTable.read(files.tokens), OrtOptions())


@pytest.fixture
def weights(built: Callable[[str], Path]) -> JointWeights:
    return load(built("lstm"))


def encoder_rows(count: int, width: int) -> np.ndarray:
    return np.random.default_rng(3).normal(size=(count, width)).astype(np.float32)


def test_facts_come_from_the_files(weights: JointWeights) -> None:
    assert (weights.context_size, weights.vocab_size, weights.joiner_dim) == (2, 60, 40)
    assert weights.unk_id == 2
    joint = OrtJoint(weights)
    assert (joint.blank_id, joint.unk_id, joint.start) == (0, 2, (-1, 0))


def test_logits_are_those_of_the_two_graphs(
    weights: JointWeights, built: Callable[[str], Path]
) -> None:
    decoder, joiner = (
        OrtModel(built("lstm") / f"{role}.onnx", OrtOptions()) for role in ("decoder", "joiner")
    )
    joint = OrtJoint(weights)
    for row, context in zip(encoder_rows(5, 40), CONTEXTS, strict=True):
        (decoder_out,) = decoder.run(np.array([context]))
        (expected,) = joiner.run(row[None], decoder_out)
        assert np.array_equal(joint.logits(row, context), expected[0])


def test_one_by_one_or_together_is_the_same(weights: JointWeights) -> None:
    joint = OrtJoint(weights)
    (row,) = encoder_rows(1, 40)
    together = joint.logits_batch(row, CONTEXTS)
    assert together.shape == (5, 60)
    for context, logits in zip(CONTEXTS, together, strict=True):
        assert joint.logits(row, context) == pytest.approx(logits, abs=1e-5)


def test_changing_the_logits_changes_no_later_ones(weights: JointWeights) -> None:
    joint = OrtJoint(weights)
    (row,) = encoder_rows(1, 40)
    before = joint.logits(row, (0, 5)).copy()
    joint.logits(row, (0, 5))[:] = -99.0
    joint.logits_batch(row, [(0, 5)])[:] = -99.0
    assert np.array_equal(joint.logits(row, (0, 5)), before)


def test_joints_do_not_share_their_buffers(weights: JointWeights) -> None:
    first, second = encoder_rows(2, 40)
    ours, theirs = OrtJoint(weights), OrtJoint(weights)
    logits = ours.logits(first, (0, 5))
    before = logits.copy()
    theirs.logits(second, (9, 9))
    assert np.array_equal(logits, before)


def test_predictions_are_remembered_within_bounds(weights: JointWeights) -> None:
    for first in range(60):
        for second in range(60):
            weights.predict((first, second))
    assert weights.predict.cache_info().currsize == 2_048
    assert np.array_equal(weights.predict((0, 1)), weights.predict((0, 1)))


def test_without_an_unknown_token_none_is_blank(tmp_path: Path) -> None:
    tokens = build("lstm", tmp_path) / "tokens.txt"
    tokens.write_text(tokens.read_text().replace("<unk> 2", "<other> 2"))
    assert OrtJoint(load(tmp_path)).unk_id == -1


def test_too_few_tokens_are_named(tmp_path: Path) -> None:
    tokens = build("lstm", tmp_path) / "tokens.txt"
    tokens.write_text("".join(tokens.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(ModelFileError, match=r"60 tokens, as decoder\.onnx says, found 59"):
        load(tmp_path)


def test_a_joiner_of_another_model_is_named(tmp_path: Path) -> None:
    damage.break_joiner_dim(build("lstm", tmp_path))
    with pytest.raises(ModelFileError, match=r"decoder.onnx: expected 48 values.*found 40"):
        load(tmp_path)


def test_a_joiner_of_another_vocabulary_is_named(tmp_path: Path) -> None:
    build("lstm", tmp_path)
    build("lstm", tmp_path / "other", vocab_size=70)
    (tmp_path / "other" / "joiner.onnx").rename(tmp_path / "joiner.onnx")
    with pytest.raises(ModelFileError, match=r"joiner.onnx: expected 60 values.*found 70"):
        load(tmp_path)


def test_a_joiner_that_contradicts_itself_is_named(tmp_path: Path) -> None:
    build("lstm", tmp_path)
    damage.break_missing_metadata(tmp_path, "joiner_dim")
    with pytest.raises(ModelFileError, match="expected metadata 'joiner_dim', found only"):
        load(tmp_path)
