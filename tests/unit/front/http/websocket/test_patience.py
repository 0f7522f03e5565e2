import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from wyoming_stt.front.http.options import HttpOptions
from wyoming_stt.front.http.websocket.conversation import Leave
from wyoming_stt.front.http.websocket.patience import Patience

SOON = 0.02


@contextlib.asynccontextmanager
async def watched(
    draining: asyncio.Event | None = None, **options: float
) -> AsyncIterator[Patience]:
    patience = Patience(HttpOptions(**options), draining or asyncio.Event())
    watching = asyncio.create_task(patience.watch())
    yield patience
    watching.cancel()


async def never() -> str:
    await asyncio.Event().wait()
    raise AssertionError


async def says() -> str:
    return "hello"


async def listen() -> None:
    await asyncio.sleep(0)


def reason(end: str | Leave) -> tuple[int, str]:
    assert isinstance(end, Leave)
    assert end.error is not None
    return end.code, end.error.code


async def test_a_message_in_time_is_passed_on() -> None:
    async with watched() as patience:
        for _ in range(3):
            assert await patience.wait_for(says) == "hello"


async def test_an_idle_client_has_to_go() -> None:
    async with watched(idle_timeout_s=SOON) as patience:
        assert reason(await patience.wait_for(never)) == (1008, "idle_timeout")


async def test_time_that_we_take_is_not_the_clients() -> None:
    async with watched(idle_timeout_s=SOON) as patience:
        await patience.wait_for(says)
        await asyncio.sleep(5 * SOON)
        assert await patience.wait_for(says) == "hello"


async def test_nobody_may_stay_for_longer_than_a_session() -> None:
    async with watched(max_session_s=SOON) as patience:
        assert reason(await patience.wait_for(never)) == (1008, "max_session_duration_exceeded")


async def test_the_end_also_comes_for_whoever_never_lets_us_wait() -> None:
    async with watched(max_session_s=SOON) as patience:
        while (end := await patience.wait_for(says)) == "hello":
            await listen()
        assert reason(end) == (1008, "max_session_duration_exceeded")


@pytest.mark.parametrize("begins", ["before", "while waiting"])
async def test_clients_leave_when_the_server_stops(begins: str) -> None:
    draining = asyncio.Event()
    async with watched(draining, max_session_s=0) as patience:
        waiting = asyncio.create_task(patience.wait_for(never))
        if begins == "while waiting":
            await asyncio.sleep(0)
        draining.set()
        assert reason(await waiting) == (1001, "shutting_down")
        assert reason(await patience.wait_for(never)) == (1001, "shutting_down")


async def test_a_timeout_of_somebody_else_is_not_taken_for_ours() -> None:
    async def fail() -> str:
        raise TimeoutError

    async with watched() as patience:
        with pytest.raises(TimeoutError):
            await patience.wait_for(fail)
