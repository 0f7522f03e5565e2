"""Trying again, later and later."""

import asyncio
from collections.abc import Callable

__all__ = ["Backoff"]


class Backoff:
    """Calls back after a pause that doubles each time, until it is told that all is well."""

    def __init__(self, first_s: float, most_s: float, call: Callable[[], None]) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._call = call
        self._next_s = first_s
        self._timer: asyncio.TimerHandle | None = None

    def later(self) -> None:
        """Call once, after the next pause; a call that was still to come is dropped."""
        self.cancel()
        self._timer = asyncio.get_running_loop().call_later(self._next_s, self._call)
        self._next_s = min(2 * self._next_s, self._most_s)

    def reset(self) -> None:
        """Begin with the shortest pause the next time."""
        self._next_s = self._first_s

    def cancel(self) -> None:
        """Drop the call that was to come."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
