"""Event streams: words leave while their recording still comes in."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from wyoming_stt.front.http.body import Body
from wyoming_stt.front.http.errors import EXPECTED, Problem, problem_of
from wyoming_stt.front.http.state import DoorState

__all__ = ["EventStream"]

logger = logging.getLogger(__name__)


class EventStream(EventSourceResponse):
    """Sends messages as they come, and a comment now and then as a sign of life.

    A reader that goes away ends the work at once; one that stalls is cut by its connection.

    Args:
        door: where the request came in.
        body: of the request, which may still be arriving.
        messages: what to send, mostly JSON.
        failed: makes the last message, where `messages` end in an error.
    """

    def __init__(
        self,
        door: DoorState,
        body: Body,
        messages: AsyncIterator[str],
        failed: Callable[[Problem], dict[str, Any]],
    ) -> None:
        super().__init__(self._events(messages), ping=door.options.heartbeat_s, sep="\n")
        self._door = door
        self._body = body
        self._failed = failed

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        """Answer; who listens for the client's end must not take what is still the body."""
        await super().__call__(scope, self._body.receive, send)

    async def _events(self, messages: AsyncIterator[str]) -> AsyncIterator[ServerSentEvent]:
        try:
            async for message in messages:
                yield ServerSentEvent(message)
        except EXPECTED as error:
            problem = problem_of(error)
            logger.warning("%s: %s", problem.code, problem.message)
            self._door.metrics.told("sse", problem.code, is_ours=problem.is_ours)
            yield ServerSentEvent(json.dumps(self._failed(problem)))
        except ClientDisconnect:
            return

    async def _listen_for_exit_signal_with_grace(self) -> None:
        # The package would poll, for as long as the process lives, for uvicorn's own signal
        # handlers, which are not in use here: the door tells when to end.
        await asyncio.Event().wait()
