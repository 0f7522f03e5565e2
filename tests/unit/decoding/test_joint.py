import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from wyoming_stt.decoding.joint import log_softmax

# onnxruntime, told to, makes the thread it is called in drop subnormal numbers.
VALUE = st.floats(-1e4, 1e4, width=32, allow_subnormal=False)
LOGITS = hnp.arrays(np.float32, st.tuples(st.integers(1, 4), st.integers(1, 9)), elements=VALUE)


def test_known_values() -> None:
    assert log_softmax(np.log(np.float32([1, 3]))) == pytest.approx(np.log([0.25, 0.75]))
    assert log_softmax(np.float32([7])) == pytest.approx([0.0])
    assert log_softmax(np.float32([1e30, 0])) == pytest.approx([0.0, -1e30])


@settings(max_examples=30)
@given(LOGITS)
def test_probabilities_sum_to_one_along_the_axis(logits: np.ndarray) -> None:
    for axis in (0, 1, -1):
        result = log_softmax(logits, axis)
        assert result.dtype == np.float32
        assert (result <= 0).all()
        assert np.exp(result).sum(axis=axis) == pytest.approx(1.0, abs=1e-5)


@settings(max_examples=20)
@given(LOGITS)
def test_the_input_is_left_alone(logits: np.ndarray) -> None:
    before = logits.copy()
    log_softmax(logits)
    assert np.array_equal(logits, before)
