"""The table of states, and how much of the past it keeps."""

import logging

import pytest

from wyoming_stt.model_state import ModelState, StateRecord


def test_an_illegal_step_is_our_bug() -> None:
    record = StateRecord()
    with pytest.raises(RuntimeError, match="no way from UNINITIALIZED to READY"):
        record.move(ModelState.READY, "a")


def test_every_step_is_told_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    record = StateRecord()
    with caplog.at_level(logging.INFO):
        record.move(ModelState.LOADING, "a")
        record.move(ModelState.ERROR, "a", "it is damaged")
    assert caplog.messages == [
        "Model a: loading after uninitialized",
        "Model a: error after loading: it is damaged",
    ]


def test_the_history_is_bounded() -> None:
    record = StateRecord()
    for _ in range(1000):
        for state in (ModelState.LOADING, ModelState.ERROR):
            record.move(state, "a")
        record.fail("a", "model_error", "no")
    assert (len(record.transitions), len(record.failures)) == (100, 10)
    assert record.counts[ModelState.ERROR] == 1000


def test_closed_is_reached_from_everywhere_and_never_left() -> None:
    for state in ModelState:
        record = StateRecord()
        record.state = state
        record.move(ModelState.CLOSED, "a")
        with pytest.raises(RuntimeError):
            record.move(ModelState.LOADING, "a")
