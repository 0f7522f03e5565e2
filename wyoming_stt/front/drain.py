"""The end of a door, while what is open comes to its own end."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from wyoming_stt.engine import Engine

__all__ = ["DRAIN_SHARE", "turning_away"]

DRAIN_SHARE: Final = 0.7
"""Of the time to drain, for what is open to come to its end; the rest is for the last words of the
others, and for their clients to take them."""


@contextmanager
def turning_away(engine: Engine, drain_s: float) -> Iterator[None]:
    """Tell in time whoever still waits for a place, for whom there would be no other answer."""
    loop = asyncio.get_running_loop()
    timer = loop.call_later(DRAIN_SHARE * drain_s, engine.turn_away)
    try:
        yield
    finally:
        timer.cancel()
