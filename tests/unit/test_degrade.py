"""The degrade ladder: climbs under load, waits for calm, never jumps."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_stt.degrade import DegradeLadder, DegradeOptions, Level
from wyoming_stt.errors import SettingsError


def levels(
    ladder: DegradeLadder, start_s: int, seconds: int, rtf: float = 0.1, queue_s: float = 0.0
) -> list[Level]:
    """Feed one call a second; collect the level after each."""
    found = []
    for second in range(start_s, start_s + seconds):
        ladder.record(second, 1.0, rtf, queue_s)
        found.append(ladder.update(second))
    return found


def steps(found: Iterable[Level]) -> list[Level]:
    """Drop repetitions."""
    kept: list[Level] = []
    for level in found:
        if not kept or kept[-1] is not level:
            kept.append(level)
    return kept


def test_an_easy_load_is_normal() -> None:
    assert set(levels(DegradeLadder(DegradeOptions()), 0, 300)) == {Level.NORMAL}


def test_no_load_is_normal() -> None:
    assert DegradeLadder(DegradeOptions()).update(5.0) is Level.NORMAL


@pytest.mark.parametrize(
    ("rtf", "level"),
    [(0.75, Level.WARNING), (1.0, Level.DEGRADE), (1.3, Level.EMERGENCY), (3.0, Level.FAILOVER)],
)
def test_it_climbs_to_the_level_of_the_load_step_by_step(rtf: float, level: Level) -> None:
    found = steps(levels(DegradeLadder(DegradeOptions()), 0, 120, rtf))
    assert found[-1] is level
    assert all(after - before == 1 for before, after in pairwise(found))


def test_waiting_counts_as_much_as_decoding() -> None:
    assert levels(DegradeLadder(DegradeOptions()), 0, 30, queue_s=1.0)[-1] is Level.DEGRADE


def test_each_step_up_waits_for_what_the_last_one_saved() -> None:
    found = levels(DegradeLadder(DegradeOptions(hold_s=5.0)), 0, 60, rtf=2.0)
    assert all(found.count(level) >= 5 for level in set(found) - {Level.NORMAL, found[-1]})


def test_a_busy_moment_does_not_exchange_the_model() -> None:
    ladder = DegradeLadder(DegradeOptions())
    levels(ladder, 0, 60)
    assert max(levels(ladder, 60, 15, rtf=2.0)) is Level.EMERGENCY


def test_it_steps_back_one_by_one_after_calm() -> None:
    ladder = DegradeLadder(DegradeOptions(calm_s=30.0))
    levels(ladder, 0, 20, rtf=1.3)
    back = levels(ladder, 20, 200)
    assert steps(back)[-4:] == [Level.EMERGENCY, Level.DEGRADE, Level.WARNING, Level.NORMAL]
    assert back.count(Level.DEGRADE) == back.count(Level.WARNING) == 30


def test_it_comes_back_without_any_further_call() -> None:
    ladder = DegradeLadder(DegradeOptions())
    levels(ladder, 0, 90, rtf=3.0)
    assert [ladder.update(at) for at in range(90, 400)][-1] is Level.NORMAL


def test_a_model_that_is_too_slow_each_time_is_tried_less_and_less_often() -> None:
    ladder = DegradeLadder(DegradeOptions())
    history = []
    for second in range(3600):
        # The fallback keeps up, the chosen model does not.
        slow = ladder.level is not Level.FAILOVER
        ladder.record(second, 1.0, 3.0 if slow else 0.1, 0.0)
        history.append(ladder.update(second))
    tries = sum(
        before is Level.FAILOVER and after is Level.EMERGENCY for before, after in pairwise(history)
    )
    assert 1 <= tries <= 3600 / 120


def test_off_it_never_moves() -> None:
    ladder = DegradeLadder(DegradeOptions(enabled=False))
    assert set(levels(ladder, 0, 60, rtf=9.0)) == {Level.NORMAL}


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 9)), max_size=200))
def test_one_step_at_a_time_whatever_comes(load: list[tuple[float, float]]) -> None:
    ladder, before = DegradeLadder(DegradeOptions()), Level.NORMAL
    for second, (rtf, queue_s) in enumerate(load):
        ladder.record(second, 1.0, rtf, queue_s)
        after = ladder.update(second)
        assert abs(after - before) <= 1
        before = after


@pytest.mark.parametrize(
    "wrong",
    [
        {"rtf": (0.9, 0.7, 1.2, 1.5)},
        {"queue_wait_s": (0.0, 1.0, 2.0, 3.0)},
        {"queue_wait_s": (1.0, 2.0)},
        {"hold_s": -1.0},
        {"calm_s": -1.0},
    ],
)
def test_senseless_options_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match="degrade"):
        DegradeOptions(**wrong)  # type: ignore[arg-type]
