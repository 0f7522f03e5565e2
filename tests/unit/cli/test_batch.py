import asyncio

from wyoming_stt.cli.batch import in_order


async def test_results_come_in_order_though_the_first_takes_longest() -> None:
    release = asyncio.Event()

    async def first() -> int:
        await release.wait()
        return 1

    async def second() -> int:
        release.set()
        return 2

    assert [result async for result in in_order([first(), second()], most=2)] == [1, 2]


async def test_no_more_run_at_once_than_allowed() -> None:
    running = most_running = 0

    async def work() -> None:
        nonlocal running, most_running
        running += 1
        most_running = max(most_running, running)
        await asyncio.sleep(0)
        running -= 1

    async for _ in in_order((work() for _ in range(20)), most=3):
        pass
    assert most_running == 3


async def test_no_work_is_no_result() -> None:
    assert [result async for result in in_order([], most=2)] == []
