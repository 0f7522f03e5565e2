"""Who has died is found without anybody's clock but one that never goes back."""

from dataclasses import replace

from tests.support.job_queues import HOLD, NOW, new_job
from wyoming_stt.jobs.job import Job
from wyoming_stt.jobs.leases import LeaseWatch

LEASE_S, BEAT_S = 15.0, 2.0


def beating(job: Job, beat: int) -> Job:
    return replace(job, hold=replace(HOLD, beat=beat))


def test_who_gives_signs_is_left_alone() -> None:
    watch, job = LeaseWatch(LEASE_S, BEAT_S), new_job().claimed(HOLD, NOW)
    for number in range(100):
        assert watch.lost([beating(job, number)], 10.0 * number) == []


def test_who_gives_none_is_lost_after_the_lease() -> None:
    watch, job = LeaseWatch(LEASE_S, BEAT_S), new_job().claimed(HOLD, NOW)
    assert first_lost(watch, job, 1_000.0) == 1_015.0


def test_time_in_which_nobody_could_look_does_not_count() -> None:
    watch, job = LeaseWatch(LEASE_S, BEAT_S), new_job().claimed(HOLD, NOW)
    for now_s in (0.0, 2.0, 1_000.0):
        assert watch.lost([job], now_s) == []
    # Its worker may have been as blind as we were, and has two thirds of its lease left.
    assert first_lost(watch, job, 1_001.0) == 1_010.0


def test_who_has_died_is_found_although_there_is_hardly_time_to_look() -> None:
    watch, job = LeaseWatch(LEASE_S, BEAT_S), new_job().claimed(HOLD, NOW)
    assert [bool(watch.lost([job], 100.0 * number)) for number in range(6)] == [False] * 5 + [True]


def first_lost(watch: LeaseWatch, job: Job, now_s: float) -> float:
    """Look every second from then on; return when it is lost."""
    while not watch.lost([job], now_s):
        now_s += 1
    return now_s


def test_a_new_hold_is_a_new_lease() -> None:
    watch, job = LeaseWatch(LEASE_S, BEAT_S), new_job().claimed(HOLD, NOW)
    for now_s in range(11):
        watch.lost([job], now_s)
    another = replace(job, hold=replace(HOLD, token="another"))  # noqa: S106
    assert first_lost(watch, another, 11.0) == 26.0


def test_a_job_that_came_back_begins_anew() -> None:
    watch, job = LeaseWatch(LEASE_S, BEAT_S), new_job().claimed(HOLD, NOW)
    watch.lost([job], 0.0)
    watch.lost([], 5.0)
    assert first_lost(watch, job, 10.0) == 25.0
