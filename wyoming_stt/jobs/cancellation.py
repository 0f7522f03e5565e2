"""Connections to Redis that lose no cancellation.

Redis's client sends with `asyncio.wait_for`, which up to Python 3.11 forgets a cancellation that
comes in the moment in which the command has gone out (https://github.com/python/cpython/issues/86296).
Whoever was cancelled then goes on for ever. To be removed with the support for Python 3.11.
"""

import asyncio
from typing import Any

from redis.asyncio.connection import AbstractConnection, ConnectionPool

__all__ = ["keep_cancellations"]


def keep_cancellations(pool: ConnectionPool) -> None:
    """Let all connections that the pool makes from now on raise what `wait_for` has forgotten."""
    kind = pool.connection_class
    pool.connection_class = type(kind.__name__, (_Attentive, kind), {})


class _Attentive(AbstractConnection):
    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        task = asyncio.current_task()
        told = task.cancelling() if task else 0
        await super().send_packed_command(command, check_health)
        if task and task.cancelling() > told:
            await self.disconnect(nowait=True)  # for nobody will read the answer
            raise asyncio.CancelledError
