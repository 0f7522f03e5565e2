"""Who has died is found without anybody's clock but one that never goes back."""

from dataclasses import replace

from tests.support.job_queues import HOLD, NOW, new_job
from wyoming_stt.jobs.job import Job
from wyoming_stt.jobs.leases import LeaseWatch

LEASE_S = 15.0


def beating(job: Job, beat: int) -> Job:
    return replace(job, hold=replace(HOLD, beat=beat))


def test_who_gives_signs_is_left_alone() -> None:
    watch, job = LeaseWatch(LEASE_S), new_job().claimed(HOLD, NOW)
    for number in range(100):
        assert watch.lost([beating(job, number)], 10.0 * number) == []


def test_who_gives_none_is_lost_after_the_lease() -> None:
    watch, job = LeaseWatch(LEASE_S), new_job().claimed(HOLD, NOW)
    assert watch.lost([job], 1_000.0) == []
    assert watch.lost([job], 1_014.9) == []
    assert watch.lost([job], 1_015.0) == [job]


def test_a_new_hold_is_a_new_lease() -> None:
    watch, job = LeaseWatch(LEASE_S), new_job().claimed(HOLD, NOW)
    watch.lost([job], 0.0)
    another = replace(job, hold=replace(HOLD, token="another"))  # noqa: S106
    assert watch.lost([another], 20.0) == []
    assert watch.lost([another], 35.0) == [another]


def test_a_job_that_came_back_begins_anew() -> None:
    watch, job = LeaseWatch(LEASE_S), new_job().claimed(HOLD, NOW)
    watch.lost([job], 0.0)
    watch.lost([], 10.0)
    assert watch.lost([job], 20.0) == []
