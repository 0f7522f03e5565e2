"""What may happen to a job, and what not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.job_queues import HOLD, NOW, new_job
from wyoming_stt.errors import JobFinishedError, JobUnfinishedError
from wyoming_stt.jobs.job import (
    LEGAL,
    OWES_CALLBACK,
    SPENT,
    Callback,
    Failure,
    File,
    Job,
    JobState,
    LeaseLostError,
    Progress,
)

TOKEN = HOLD.token
RESULT = File("result.json", 20)
WRONG = Failure("code", "a reason")


def held() -> Job:
    return new_job().claimed(HOLD, NOW)


def ways() -> dict[str, Callable[[Job], Job]]:
    """All that can be done with one."""
    return {
        "claim": lambda job: job.claimed(HOLD, NOW),
        "release": lambda job: job.released(TOKEN),
        "complete": lambda job: job.completed(TOKEN, RESULT, 1.0, NOW),
        "fail": lambda job: job.failed(TOKEN, WRONG, NOW),
        "set back": lambda job: job.set_back(TOKEN, WRONG, 3, NOW),
        "set back for good": lambda job: job.set_back(TOKEN, WRONG, 1, NOW),
        "put off": lambda job: job.put_off(TOKEN, NOW, 10.0),
        "cancel": lambda job: job.cancelled(NOW),
        "beat": lambda job: job.beaten(TOKEN, 1.0, 0.1),
        "advance": lambda job: job.advanced(TOKEN, Progress(10, 1.0, 0.1)),
    }


def jobs() -> dict[JobState, Job]:
    """One in each state."""
    return {
        JobState.QUEUED: new_job(),
        JobState.PROCESSING: held(),
        JobState.COMPLETED: held().completed(TOKEN, RESULT, 1.0, NOW),
        JobState.FAILED: held().failed(TOKEN, WRONG, NOW),
        JobState.CANCELLED: new_job().cancelled(NOW),
    }


@pytest.mark.parametrize("state", JobState)
@pytest.mark.parametrize("way", ways())
def test_every_way_is_a_legal_one_or_refused(state: JobState, way: str) -> None:
    job = jobs()[state]
    assert job.state is state
    try:
        after = ways()[way](job)
    except (LeaseLostError, JobFinishedError):
        return
    assert after.state is state or after.state in LEGAL[state]
    assert (after.hold is not None) == (after.state is JobState.PROCESSING)
    assert (after.completed_at is not None) == after.state.is_final
    assert len(after.labels & set(JobState)) == 1


def test_every_legal_way_can_be_gone() -> None:
    gone = set()
    for state, job in jobs().items():
        for way in ways().values():
            try:
                gone.add((state, way(job).state))
            except (LeaseLostError, JobFinishedError):
                continue
    legal = {(state, after) for state, states in LEGAL.items() for after in states}
    assert {(before, after) for before, after in gone if before is not after} == legal


@pytest.mark.parametrize("way", [way for way in ways() if way not in {"claim", "cancel"}])
def test_another_token_comes_too_late(way: str) -> None:
    with pytest.raises(LeaseLostError):
        ways()[way](new_job().claimed(replace(HOLD, token="another"), NOW))  # noqa: S106


def test_who_did_not_hear_that_it_is_theirs_may_ask_again() -> None:
    job = held().beaten(TOKEN, 1.0, 0.1)
    assert job.claimed(HOLD, NOW) == job
    with pytest.raises(LeaseLostError):
        job.claimed(replace(HOLD, token="another"), NOW)  # noqa: S106


def test_progress_never_goes_back() -> None:
    job = held().advanced(TOKEN, Progress(10, 20.0, 0.2)).beaten(TOKEN, 35.0, 0.35)
    job = job.released(TOKEN).claimed(HOLD, NOW)
    assert job.beaten(TOKEN, 20.5, 0.2).progress == Progress(10, 35.0, 0.35)
    assert job.advanced(TOKEN, Progress(15, 30.0, 0.3)).progress == Progress(15, 35.0, 0.35)
    assert job.advanced(TOKEN, Progress(20, 40.0, 0.4)).progress == Progress(20, 40.0, 0.4)


def test_it_rests_longer_and_longer_until_a_piece_is_done() -> None:
    job, now = held(), NOW
    for pause_s in (10, 20, 40, 80, 160, 300, 300):
        job = job.put_off(TOKEN, now, 10.0)
        with pytest.raises(LeaseLostError):
            job.claimed(HOLD, now + timedelta(seconds=pause_s - 1))
        now += timedelta(seconds=pause_s)
        job = job.claimed(HOLD, now)
    assert (job.setbacks, job.tries) == (0, 8)
    job = job.advanced(TOKEN, Progress(1)).set_back(TOKEN, WRONG, 3, now, 10.0)
    assert job.rest.until == now + timedelta(seconds=10)
    assert job.setbacks == 1


def test_it_need_not_rest_because_its_worker_has_died() -> None:
    job = held()
    for _ in range(5):
        job = job.set_back(TOKEN, WRONG, 9, NOW).claimed(HOLD, NOW)
    job = job.put_off(TOKEN, NOW, 10.0)
    assert job.rest.until == NOW + timedelta(seconds=10)


def test_a_clock_that_was_set_back_prolongs_no_rest() -> None:
    job = held().put_off(TOKEN, NOW, 10.0)
    assert job.claimed(HOLD, NOW - timedelta(days=9_000)).state is JobState.PROCESSING


def test_a_piece_wipes_out_what_went_wrong_before_it() -> None:
    job = held()
    for _ in range(10):
        job = job.set_back(TOKEN, WRONG, 3, NOW).claimed(HOLD, NOW)
        job = job.set_back(TOKEN, WRONG, 3, NOW).claimed(HOLD, NOW)
        job = job.advanced(TOKEN, Progress(job.progress.settled + 1))
    job = job.set_back(TOKEN, WRONG, 3, NOW).claimed(HOLD, NOW)
    job = job.set_back(TOKEN, WRONG, 3, NOW).claimed(HOLD, NOW)
    job = job.set_back(TOKEN, WRONG, 3, NOW)
    assert job.state is JobState.FAILED
    assert job.error == Failure("code", "a reason (tried 3 times)")
    assert job.tries == 23


def test_it_began_when_it_first_began() -> None:
    later = NOW + timedelta(hours=1)
    assert held().released(TOKEN).claimed(HOLD, later).started_at == NOW


def test_its_labels_say_what_is_left_to_do() -> None:
    job = new_job(callback=Callback("https://example.com"))
    assert job.labels == {JobState.QUEUED}
    job = job.cancelled(NOW)
    assert job.labels == {JobState.CANCELLED, SPENT, OWES_CALLBACK}
    told = replace(job.without_audio(), callback=Callback("https://example.com", is_settled=True))
    assert told.labels == {JobState.CANCELLED}
    assert told.num_bytes == 0


def test_only_a_completed_one_has_a_result() -> None:
    for state, job in jobs().items():
        if state is JobState.COMPLETED:
            assert job.finished_result() == RESULT
        else:
            with pytest.raises(JobUnfinishedError, match=state):
                job.finished_result()
