"""Waiting for something to be logged, instead of for some time to pass."""

import asyncio
import logging
from typing import Self


class Logged(logging.Handler):
    """Collects (level name, message) of one logger, from INFO up, while it is entered."""

    def __init__(self, logger: str) -> None:
        super().__init__(logging.INFO)
        self.lines: list[tuple[str, str]] = []
        self._logger = logging.getLogger(logger)
        self._changed = asyncio.Event()

    def __enter__(self) -> Self:
        self._before = self._logger.level
        self._logger.setLevel(logging.INFO)
        self._logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)
        self._logger.setLevel(self._before)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((record.levelname, record.getMessage()))
        self._changed.set()

    async def until(self, beginning: str, times: int = 1) -> None:
        """Wait for as many messages that begin so; the test's own timeout is the limit."""
        while sum(message.startswith(beginning) for _, message in self.lines) < times:
            self._changed.clear()
            await self._changed.wait()
