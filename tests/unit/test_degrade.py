"""The degrade ladder: climbs under load, waits for calm, never jumps."""

import heapq
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


def spoken_to(
    ladder: DegradeLadder,
    speakers: int,
    rtf: float,
    *,
    seconds: float,
    decoders: int = 1,
    piece_s: float = 0.16,
) -> list[Level]:
    """Let people speak in real time, in turn, to decoders that take the oldest call first.

    Nobody has more than one call under way; what they say meanwhile waits in the network.
    """
    spoken_s = [piece_s * (1 + number / speakers) for number in range(speakers)]
    ready = [(at_s, number) for number, at_s in enumerate(spoken_s)]
    free_s = [0.0] * decoders
    ended: list[tuple[float, float]] = []
    found: list[Level] = []
    while len(found) < seconds:
        came_s, number = heapq.heappop(ready)
        began_s = max(came_s, heapq.heappop(free_s))
        end_s = began_s + piece_s * rtf
        heapq.heappush(free_s, end_s)
        heapq.heappush(ended, (end_s, began_s - came_s))
        while ended and ended[0][0] <= came_s:
            at_s, queue_s = heapq.heappop(ended)
            while at_s > len(found):
                found.append(ladder.update(len(found)))
            ladder.record(at_s, piece_s, piece_s * rtf, queue_s)
        spoken_s[number] += piece_s
        heapq.heappush(ready, (max(end_s, spoken_s[number]), number))
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


@pytest.mark.parametrize(
    ("speakers", "rtf", "decoders"), [(9, 0.1, 1), (3, 0.3, 1), (1, 0.65, 1), (35, 0.1, 4)]
)
def test_a_busy_server_that_keeps_up_stays_normal(speakers: int, rtf: float, decoders: int) -> None:
    ladder = DegradeLadder(DegradeOptions(), decoders)
    found = spoken_to(ladder, speakers, rtf, seconds=300, decoders=decoders)
    assert set(found) == {Level.NORMAL}


@pytest.mark.parametrize(
    ("speakers", "rtf", "decoders"), [(30, 0.1, 1), (10, 0.3, 1), (120, 0.1, 4), (3, 1.0, 1)]
)
def test_many_speakers_are_too_much_however_fast_the_model_is(
    speakers: int, rtf: float, decoders: int
) -> None:
    ladder = DegradeLadder(DegradeOptions(), decoders)
    found = spoken_to(ladder, speakers, rtf, seconds=90, decoders=decoders)
    assert found[15] >= Level.DEGRADE
    assert found[-1] is Level.FAILOVER
    assert [ladder.update(at_s) for at_s in range(90, 300)][-1] is Level.NORMAL


def test_a_burst_after_silence_does_not_exchange_the_model() -> None:
    ladder = DegradeLadder(DegradeOptions())
    assert max(spoken_to(ladder, 10, 0.3, seconds=30)) is Level.EMERGENCY


def test_a_model_too_slow_for_one_speaker_is_exchanged_soon() -> None:
    assert levels(DegradeLadder(DegradeOptions(), 4), 0, 20, rtf=2.0)[-1] is Level.FAILOVER


@pytest.mark.parametrize(("rtf", "level"), [(1.0, Level.DEGRADE), (0.5, Level.NORMAL)])
def test_waiting_for_a_place_counts_if_the_decoders_have_no_time_left(
    rtf: float, level: Level
) -> None:
    options = DegradeOptions(rtf=(5.0, 6.0, 7.0, 8.0))
    ladder = DegradeLadder(options)
    for second in range(60):
        ladder.record_admission(second, 1.0)
        found = levels(ladder, second, 1, rtf)
    assert found == [level]


def test_calls_so_slow_that_hardly_any_audio_is_decoded_are_seen() -> None:
    ladder = DegradeLadder(DegradeOptions())
    for second in range(0, 60, 5):
        ladder.record(second, 0.16, 4.8, 0.0)
        ladder.update(second)
    assert ladder.level is Level.FAILOVER


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
