import asyncio
import gc
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial

import pytest

from tests.support.engines import LONG, Stuck
from wyoming_stt.errors import (
    InferenceError,
    InferenceTimeoutError,
    LimitError,
    ShuttingDownError,
)
from wyoming_stt.workers import WorkerPool

SHORT = 0.05
"""For calls that will never end: how soon they are given up."""


@pytest.fixture
def stuck() -> Iterator[Stuck]:
    call = Stuck()
    yield call
    call.let_go.set()


@pytest.fixture
async def make_pool() -> AsyncIterator[Callable[[int], WorkerPool]]:
    """Make pools, and see to it that none leaves a thread or a task behind."""
    threads, pools = set(threading.enumerate()), []

    def make(size: int) -> WorkerPool:
        pools.append(WorkerPool(size))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()
    for thread in set(threading.enumerate()) - threads:
        if thread.name == "inference":
            thread.join(LONG)
    assert [t for t in set(threading.enumerate()) - threads if t.name == "inference"] == []
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_call_returns_its_value_and_what_it_cost(make_pool) -> None:
    done = await make_pool(1).run(lambda: threading.current_thread().name, LONG)
    assert done.value == "inference"
    assert done.queue_s >= 0
    assert done.run_s >= 0


async def test_as_many_run_at_once_as_there_are_threads(make_pool) -> None:
    pool, barrier = make_pool(3), threading.Barrier(3)
    calls = (pool.run(partial(barrier.wait, LONG), LONG) for _ in range(3))
    assert sorted([done.value for done in await asyncio.gather(*calls)]) == [0, 1, 2]


async def test_first_come_first_served(make_pool, stuck: Stuck) -> None:
    pool, served = make_pool(1), []
    tasks = [asyncio.create_task(pool.run(stuck, LONG))]
    tasks += [asyncio.create_task(pool.run(partial(served.append, i), LONG)) for i in range(9)]
    await stuck.has_started()
    assert served == []
    stuck.let_go.set()
    await asyncio.gather(*tasks)
    assert served == list(range(9))


async def test_a_failure_says_what_failed(make_pool) -> None:
    with pytest.raises(InferenceError, match="the model failed: ZeroDivisionError: ") as caught:
        await make_pool(1).run(lambda: 1 / 0, LONG)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


async def test_an_error_of_ours_is_passed_on(make_pool) -> None:
    error = LimitError("too long", "1 s", "engine.max_utterance_s")

    def fail() -> None:
        raise error

    with pytest.raises(LimitError) as caught:
        await make_pool(1).run(fail, LONG)
    assert caught.value is error


async def test_a_failure_is_nobody_elses(make_pool) -> None:
    pool = make_pool(1)
    calls = (pool.run(partial(divmod, 1, i % 2), LONG) for i in range(6))
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(outcome, InferenceError) for outcome in outcomes] == [True, False] * 3


async def test_a_stuck_thread_is_replaced(make_pool, stuck: Stuck) -> None:
    pool = make_pool(1)
    with pytest.raises(InferenceTimeoutError, match=r"no answer from the model within 0\.05 s"):
        await pool.run(stuck, SHORT)
    assert (await pool.run(lambda: "next", LONG)).value == "next"


async def test_the_others_wait_for_a_stuck_thread_no_longer_than_it_may_run(
    make_pool, stuck: Stuck
) -> None:
    pool = make_pool(1)
    first = asyncio.create_task(pool.run(stuck, SHORT))
    others = [asyncio.create_task(pool.run(partial(int, i), LONG)) for i in range(3)]
    with pytest.raises(InferenceTimeoutError):
        await first
    assert [(await other).value for other in others] == [0, 1, 2]


async def test_waiting_in_the_queue_does_not_count(make_pool, stuck: Stuck) -> None:
    pool, timeout_s = make_pool(1), 0.4
    first = asyncio.create_task(pool.run(stuck, LONG))
    second = asyncio.create_task(pool.run(lambda: "second", timeout_s))
    await asyncio.sleep(1.5 * timeout_s)
    stuck.let_go.set()
    assert (await first).value == "at last"
    assert (await second).value == "second"


async def test_a_thread_that_comes_back_takes_no_more_work(make_pool, stuck: Stuck) -> None:
    pool = make_pool(1)
    with pytest.raises(InferenceTimeoutError):
        await pool.run(lambda: (stuck(), threading.current_thread()), SHORT)
    stuck.let_go.set()
    barrier = threading.Barrier(2)
    meet = partial(barrier.wait, SHORT)
    outcomes = await asyncio.gather(
        pool.run(meet, LONG), pool.run(meet, LONG), return_exceptions=True
    )
    assert all(isinstance(outcome, InferenceError) for outcome in outcomes), "one thread only"


async def test_a_call_that_nobody_waits_for_is_not_made(make_pool, stuck: Stuck) -> None:
    pool, made = make_pool(1), []
    first = asyncio.create_task(pool.run(stuck, LONG))
    second = asyncio.create_task(pool.run(partial(made.append, 2), LONG))
    await stuck.has_started()
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    stuck.let_go.set()
    await first
    await pool.run(partial(made.append, 3), LONG)
    assert made == [3]


async def test_a_thread_is_free_again_when_its_caller_has_left(make_pool, stuck: Stuck) -> None:
    pool = make_pool(1)
    first = asyncio.create_task(pool.run(stuck, LONG))
    await stuck.has_started()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    stuck.let_go.set()
    assert (await pool.run(lambda: "next", LONG)).value == "next"


async def test_a_stuck_thread_is_replaced_when_its_caller_has_left(make_pool, stuck: Stuck) -> None:
    pool = make_pool(1)
    first = asyncio.create_task(pool.run(stuck, SHORT))
    await stuck.has_started()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert (await pool.run(lambda: "next", LONG)).value == "next"


async def test_a_failure_that_nobody_waits_for_is_no_mistake(make_pool, stuck: Stuck) -> None:
    complaints = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    pool = make_pool(1)
    first = asyncio.create_task(pool.run(lambda: len(stuck()) / 0, LONG))
    await stuck.has_started()
    stuck.let_go.set()
    # The thread settles the call and takes the next one while the loop has not looked yet.
    second = asyncio.create_task(pool.run(lambda: None, LONG))
    first.cancel()
    await asyncio.wait([first, second])
    del first
    gc.collect()
    assert complaints == []


async def test_an_idle_thread_keeps_nothing(make_pool) -> None:
    class Utterance:
        def decode(self) -> None:
            pass

    pool, utterance = make_pool(1), Utterance()
    kept = weakref.ref(utterance)
    await pool.run(utterance.decode, LONG)
    del utterance
    pool.close()
    gc.collect()
    assert kept() is None


async def test_a_closed_pool_finishes_what_it_was_given_and_takes_no_more(
    make_pool, stuck: Stuck
) -> None:
    pool = make_pool(1)
    given = [asyncio.create_task(pool.run(partial(int, i), LONG)) for i in range(5)]
    await asyncio.sleep(0)
    pool.close()
    pool.close()
    assert [(await task).value for task in given] == [0, 1, 2, 3, 4]
    with pytest.raises(ShuttingDownError):
        await pool.run(stuck, LONG)
    assert not stuck.started.is_set()


async def test_closing_ends_the_threads_that_replaced_others(make_pool) -> None:
    pool, calls = make_pool(3), [Stuck(), Stuck()]
    outcomes = await asyncio.gather(*(pool.run(c, SHORT) for c in calls), return_exceptions=True)
    assert all(isinstance(outcome, InferenceTimeoutError) for outcome in outcomes)
    pool.close()
    for call in calls:
        call.let_go.set()


def test_a_call_may_outlive_its_loop() -> None:
    pool, stuck = WorkerPool(1), Stuck()

    async def leave() -> None:
        task = asyncio.create_task(pool.run(stuck, LONG))
        await stuck.has_started()
        task.cancel()

    asyncio.run(leave())
    stuck.let_go.set()
    pool.close()
