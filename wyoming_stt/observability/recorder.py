"""Writes the history while the server runs."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

from wyoming_stt.errors import StorageError
from wyoming_stt.observability.history import History
from wyoming_stt.observability.tally import Counts

__all__ = ["recorded"]

_LOGGER = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def recorded(
    history: History, count: Callable[[], Counts], every_s: float
) -> AsyncIterator[None]:
    """Append what `count` grew by, now and then while the block runs, and at its end."""
    recorder = _Recorder(history, count)
    task = asyncio.create_task(recorder.run(every_s), name="statistics")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        await recorder.add()


class _Recorder:
    def __init__(self, history: History, count: Callable[[], Counts]) -> None:
        self._history = history
        self._count = count
        self._added: Counts = {}
        self._has_complained = False
        self._adding = asyncio.Lock()

    async def run(self, every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            # Cancelled in the middle, it would not know what of it is in the file.
            await asyncio.shield(self.add())

    async def add(self) -> None:
        async with self._adding:
            await self._add()

    async def _add(self) -> None:
        now = self._count()
        grown = {key: value - self._added.get(key, 0.0) for key, value in now.items()}
        grown = {key: value for key, value in grown.items() if value}
        if not grown:
            return
        try:
            await asyncio.to_thread(self._history.append, grown, datetime.now(UTC))
        except StorageError as error:
            if not self._has_complained:
                _LOGGER.warning("No statistics are kept: %s", error)
            self._has_complained = True
        else:
            self._added = now
