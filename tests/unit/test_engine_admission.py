"""Who gets a place, and when."""

import asyncio
import math
from collections.abc import AsyncIterator

import pytest

from tests.support.engines import OPEN, engine_on
from wyoming_stt.engine import Engine, Lease
from wyoming_stt.errors import OverloadedError, ShuttingDownError


class Visitor:
    """Opens an utterance, and keeps it until it is told to leave."""

    def __init__(self, engine: Engine) -> None:
        self.lease: Lease | None = None
        self._engine = engine
        self._may_leave = asyncio.Event()
        self.task = asyncio.create_task(self._visit())

    async def _visit(self) -> None:
        async with self._engine.open(OPEN) as self.lease:
            await self._may_leave.wait()

    async def leave(self) -> None:
        self._may_leave.set()
        await self.task
        await settle()


async def settle() -> None:
    """Let all tasks go as far as they come without threads and timers."""
    for _ in range(10):
        await asyncio.sleep(0)


def admitted(visitors: list[Visitor]) -> list[int]:
    return [i for i, visitor in enumerate(visitors) if visitor.lease is not None]


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    async with engine_on(max_utterances=2, max_waiting=3) as engine:
        yield engine


async def come(engine: Engine, count: int) -> list[Visitor]:
    visitors = [Visitor(engine) for _ in range(count)]
    await settle()
    return visitors


async def part(visitors: list[Visitor]) -> None:
    for visitor in visitors:
        await visitor.leave()


async def test_the_first_get_the_places_the_next_wait_in_line(engine: Engine) -> None:
    visitors = await come(engine, 5)
    assert admitted(visitors) == [0, 1]
    await visitors[1].leave()
    assert admitted(visitors) == [0, 1, 2]
    await visitors[0].leave()
    await visitors[2].leave()
    assert admitted(visitors) == [0, 1, 2, 3, 4]
    await part(visitors[3:])


async def test_a_newcomer_does_not_pass_the_line(engine: Engine) -> None:
    visitors = await come(engine, 3)
    visitors[0]._may_leave.set()
    visitors += [Visitor(engine)]
    await settle()
    assert admitted(visitors) == [0, 1, 2]
    await part(visitors)


async def test_one_too_many_is_refused_at_once(engine: Engine) -> None:
    visitors = await come(engine, 6)
    with pytest.raises(OverloadedError, match="2 utterances are being decoded and 3 are waiting"):
        await visitors[5].task
    await part(visitors[:5])


async def test_without_a_waiting_room_all_but_the_first_are_refused() -> None:
    async with engine_on(max_utterances=1, max_waiting=0) as engine:
        visitors = await come(engine, 2)
        with pytest.raises(OverloadedError):
            await visitors[1].task
        await visitors[0].leave()
        (again,) = await come(engine, 1)
        assert again.lease is not None
        await again.leave()


async def test_what_has_begun_may_wait_on_where_there_is_no_room(engine: Engine) -> None:
    visitors = await come(engine, 5)

    async def go_on() -> float:
        async with engine.open(OPEN, wait_s=math.inf) as lease:
            return lease.stats.queue_s

    going_on = asyncio.create_task(go_on())
    await settle()
    assert engine.queue_depth == 4
    await part(visitors)
    assert await going_on > 0


async def test_waiting_has_an_end() -> None:
    async with engine_on(max_utterances=1, admission_timeout_s=0.02) as engine:
        visitors = await come(engine, 2)
        with pytest.raises(OverloadedError, match="no place became free in time"):
            await visitors[1].task
        await part(visitors[:1])
        (again,) = await come(engine, 1)
        await again.leave()


async def test_a_place_is_free_again_whatever_happened(engine: Engine) -> None:
    for _ in range(5):
        with pytest.raises(ZeroDivisionError):
            async with engine.open(OPEN):
                _ = 1 / 0
    visitors = await come(engine, 2)
    assert admitted(visitors) == [0, 1]
    await part(visitors)


async def test_whoever_leaves_the_line_holds_up_nobody(engine: Engine) -> None:
    visitors = await come(engine, 5)
    visitors[2].task.cancel()
    visitors[3].task.cancel()
    await asyncio.wait([visitors[2].task, visitors[3].task])
    await visitors[0].leave()
    assert admitted(visitors) == [0, 1, 4]
    await part([visitors[1], visitors[4]])


@pytest.mark.parametrize("steps", range(5))
async def test_leaving_the_line_as_a_place_comes_free_loses_neither(
    engine: Engine, steps: int
) -> None:
    """However far the place has come on its way: who was told to leave leaves, and it is free."""
    visitors = await come(engine, 3)
    visitors[0]._may_leave.set()
    for _ in range(steps):
        await asyncio.sleep(0)
    visitors[2].task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await visitors[2].task
    (again,) = await come(engine, 1)
    assert again.lease is not None
    await part([visitors[1], again])


async def test_whoever_waits_when_the_engine_closes_is_told_so(engine: Engine) -> None:
    visitors = await come(engine, 4)
    await engine.close()
    await part(visitors[:2])
    for visitor in visitors[2:]:
        with pytest.raises(ShuttingDownError):
            await visitor.task


@pytest.mark.parametrize("wait_s", [60.0, math.inf])
async def test_when_time_is_up_nobody_waits_any_longer(wait_s: float) -> None:
    async with engine_on(max_utterances=1) as engine:
        async with engine.open(OPEN):
            waiting = asyncio.create_task(opened(engine, wait_s))
            await settle()
            assert engine.queue_depth == 1
            engine.turn_away()
            for late in (waiting, asyncio.create_task(opened(engine, wait_s))):
                with pytest.raises(ShuttingDownError):
                    await late
            assert engine.queue_depth == 0
        await opened(engine, wait_s)  # who needs not wait is let in to the end


async def opened(engine: Engine, wait_s: float) -> None:
    async with engine.open(OPEN, wait_s=wait_s):
        pass


async def test_the_ladder_hears_how_long_people_stood_in_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stood: list[float] = []
    async with engine_on(max_utterances=1, max_waiting=2, admission_timeout_s=0.02) as engine:
        monkeypatch.setattr(engine.relief, "record_admission", stood.append)
        visitors = await come(engine, 4)
        assert [len(stood), visitors[3].task.done()] == [1, True]  # refused at once: did not wait
        await asyncio.wait([visitor.task for visitor in visitors[1:]])
        assert len(stood) == 3
        assert min(stood[1:]) >= 0.02

        async def go_on() -> None:
            async with engine.open(OPEN, wait_s=math.inf):
                pass

        going_on = asyncio.create_task(go_on())
        await settle()
        await visitors[0].leave()
        await going_on
    assert len(stood) == 3
    for visitor in visitors[1:]:
        assert isinstance(visitor.task.exception(), OverloadedError)
