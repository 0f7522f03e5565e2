"""Calls into the model that nobody waits for, made while the machine has nothing better to do.

They have threads of their own, so that whoever does wait finds the others free; and one begins only
while fewer calls than these others run. So it costs a voice command at most a share of the
processor, for as long as the call lasts that is already running.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from wyoming_stt.session import UtteranceOptions
from wyoming_stt.workers import Done, WorkerPool

__all__ = ["Background", "NoRelief"]

T = TypeVar("T")


class Background:
    """Runs calls beside a pool of `size` threads."""

    def __init__(self, foreground: WorkerPool, size: int) -> None:
        self._foreground = foreground
        self._size = size
        self._pool: WorkerPool | None = None
        self._ended = asyncio.Event()
        self._is_closed = False
        foreground.ended = self._ended.set

    async def run(self, call: Callable[[], T], timeout_s: float) -> Done[T]:
        """Wait for a quiet moment, then call in a thread.

        Raises:
            The same as `WorkerPool.run`.
        """
        if self._pool is None:
            self._pool = WorkerPool(self._size)
            self._pool.ended = self._ended.set
        await self.until_idle()
        return await self._pool.run(call, timeout_s)

    async def until_idle(self) -> None:
        """Wait for a quiet moment, or the end."""
        while not self._is_closed and self._is_busy():
            self._ended.clear()
            await self._ended.wait()

    def close(self) -> None:
        """Let the threads end; whoever waits is told that it is over."""
        self._is_closed = True
        self._ended.set()
        if self._pool is not None:
            self._pool.close()

    def _is_busy(self) -> bool:
        own = self._pool.num_unfinished if self._pool is not None else 0
        return self._foreground.num_unfinished + own >= self._size


class NoRelief:
    """For what nobody waits for: it gets all the time it needs, and says nothing of the load."""

    def record(self, audio_s: float, decode_s: float, queue_s: float) -> None:
        """Do nothing: to wait is what it is there for."""

    def applied(self, options: UtteranceOptions) -> UtteranceOptions:
        """Return the options as they are."""
        return options

    def gathered_s(self, usual_s: float) -> float:
        """Return what is usual."""
        return usual_s
