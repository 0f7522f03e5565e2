"""What the routes of the HTTP door share."""

import asyncio
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from wyoming_stt.engine import Engine, UtteranceOptions
from wyoming_stt.front.administration import Administration
from wyoming_stt.front.http.options import HttpOptions
from wyoming_stt.front.served import ServedModel
from wyoming_stt.jobs.store import Jobs
from wyoming_stt.observability.metrics import Metrics

__all__ = ["Door", "DoorState", "door_state"]


@dataclass(frozen=True, slots=True)
class DoorState:
    """One door; routes take it as a parameter `door: Door`."""

    engine: Engine
    options: HttpOptions
    defaults: UtteranceOptions
    """Of an utterance, where its client wishes nothing else."""
    promised: ServedModel
    """What the settings say of the model, until it is loaded."""
    metrics: Metrics
    """Counts what happens; also the `Observer` to give to `observed`."""
    administration: Administration
    """What may be told of the machine, and done with its models."""
    admin_token: str | None = field(default=None, repr=False)
    """Lets its bearer do so; without one only this machine's own programs may."""
    jobs: Jobs | None = None
    """Takes long recordings; None: there is no queue here."""
    draining: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the server stops: streams end with what they have, nothing new begins."""

    @property
    def served(self) -> ServedModel:
        """The model of now."""
        return ServedModel.of(self.engine, self.promised)


def door_state(connection: HTTPConnection) -> DoorState:
    """Find the state; of a request or of a WebSocket."""
    state: DoorState = connection.app.state.door
    return state


Door = Annotated[DoorState, Depends(door_state)]
