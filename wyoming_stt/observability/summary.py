"""The numbers of `/health` as a line of the log, where HTTP is not served, too."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from wyoming_stt.engine import Engine
from wyoming_stt.memory import resident_bytes
from wyoming_stt.observability.tally import Tally

__all__ = ["summarised", "summary"]

_LOGGER = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def summarised(tally: Tally, engine: Engine, every_s: float) -> AsyncIterator[None]:
    """Sum up while the block runs, whenever something happened in that time, and at its end.

    Args:
        tally: what happened at the doors.
        engine: behind them.
        every_s: between two lines; 0: only at the end.
    """
    task = asyncio.create_task(_sum_up(tally, engine, every_s), name="summaries")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        _LOGGER.info("Since the start, %s", summary(tally, engine))


def summary(tally: Tally, engine: Engine) -> str:
    """Say how the server is; numbers only, nothing of what was said."""
    info, model = engine.info, engine.lifecycle.active
    name = f"{info.name} {info.version or ''}".strip() if info else engine.lifecycle.chosen.name
    role = ", the fallback" if engine.lifecycle.on_fallback else ""
    weights = f", {model.memory_bytes / 1e6:.0f} MB of it the model" if model else ""
    return (
        f"{tally}; open: {tally.active}; waiting: {engine.queue_depth}; "
        f"load: {engine.relief.level.name.lower()}; model: {name} ({engine.state.value}{role}); "
        f"memory: {resident_bytes() / 1e6:.0f} MB{weights}"
    )


async def _sum_up(tally: Tally, engine: Engine, every_s: float) -> None:
    told = dict(tally.counts)
    while every_s:
        await asyncio.sleep(every_s)
        if tally.counts != told:
            told = dict(tally.counts)
            _LOGGER.info("Since the start, %s", summary(tally, engine))
