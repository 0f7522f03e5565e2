"""`/v1/admin`: which model serves; `/model-status` and `/capabilities`: what to know before."""

import asyncio
from dataclasses import asdict
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path
from pydantic import Field

from wyoming_stt.engine import ModelState
from wyoming_stt.front.http.errors import ErrorCode
from wyoming_stt.front.http.openapi import documented
from wyoming_stt.front.http.owner import owner_only
from wyoming_stt.front.http.schemas import Answer
from wyoming_stt.front.http.state import Door, DoorState
from wyoming_stt.front.http.vitals import Vitals, iso, vitals_of
from wyoming_stt.front.http.wishes import MAX_NAME_CHARS

__all__ = [
    "Load",
    "MachineReport",
    "ModelStatus",
    "Served",
    "Transition",
    "activate",
    "capabilities",
    "model_status",
    "reload",
    "router",
    "unload",
]

router: Final = APIRouter(tags=["Administration"])

SHOWN_TRANSITIONS: Final = 20
_OWNER: Final = [Depends(owner_only)]
_MAY_FAIL: Final = documented(
    ErrorCode.ADMIN_ONLY, ErrorCode.MODEL_NOT_FOUND, ErrorCode.MODEL_ERROR
)
_ModelId = Annotated[str, Path(max_length=MAX_NAME_CHARS, description="One of `/v1/models`.")]


class Transition(Answer):
    """A step from one state of the model to the next."""

    at: str = Field(description="Time in UTC, ISO 8601.")
    before: ModelState
    after: ModelState
    model: str
    reason: str


class Load(Answer):
    """What was asked of the model in a time."""

    rtf: float = Field(description="Decoding time by audio time.")
    turnaround: float = Field(description="The same with waits: above 1 a speaker is left behind.")
    queue_wait_s: float = Field(
        description="Mean wait for a decoder, or for a place, if the decoders have no time left."
    )
    busy: float = Field(description="Share of the decoders' time that was used.")


class ModelStatus(Vitals):
    """Where the model is, and how it got there."""

    chosen: str
    fallback: str | None
    counters: dict[str, int] = Field(description="How often each state was entered.")
    degrade_counters: dict[str, int] = Field(description="How often each level was entered.")
    transitions: list[Transition] = Field(description="The last ones, newest first.")
    load: dict[str, Load] = Field(description="In the short window and in the long one.")


class MachineReport(Answer):
    """What the machine can do, and which model suits it."""

    hardware: dict[str, Any]
    providers: list[str] = Field(description="onnxruntime's, best first.")
    families: list[str] = Field(description="Kinds of models that can be read.")
    tier: str
    recommended: str
    reason: str
    rejected: dict[str, str] = Field(description="Other models of the language, with why not.")
    chosen: str
    chosen_reason: str
    fallback: str | None
    wanted: str | None = Field(description="What is fetched in the background.")


class Served(Answer):
    """What serves after the change."""

    model: str
    model_state: ModelState


@router.get("/model-status")
async def model_status(door: Door) -> ModelStatus:
    """Tell where the model is, how it got there, and what it has to do."""
    lifecycle, relief = door.engine.lifecycle, door.engine.relief
    record = lifecycle.record
    facts = {
        **vitals_of(door),
        "chosen": lifecycle.chosen.name,
        "fallback": lifecycle.fallback.name if lifecycle.fallback else None,
        "counters": {state.value: times for state, times in record.counts.items()},
        "degrade_counters": {level.name.lower(): n for level, n in relief.counts.items()},
        "transitions": [
            asdict(step) | {"at": iso(step.at)}
            for step in list(reversed(record.transitions))[:SHOWN_TRANSITIONS]
        ],
        "load": dict(zip(("short", "long"), map(asdict, relief.load()), strict=True)),
    }
    return ModelStatus.model_validate(facts)


@router.get("/capabilities")
async def capabilities(door: Door) -> MachineReport:
    """Tell what the machine offers, which model suits it, and why."""
    found = await asyncio.to_thread(door.administration.capabilities)
    return MachineReport.model_validate(asdict(found))


@router.post("/v1/admin/models/{model_id}/activate", dependencies=_OWNER, responses=_MAY_FAIL)
async def activate(model_id: _ModelId, door: Door) -> Served:
    """Let another model serve; utterances that have begun end with theirs."""
    await door.administration.activate(model_id)
    return _served(door)


@router.post("/v1/admin/models/{model_id}/unload", dependencies=_OWNER, responses=_MAY_FAIL)
async def unload(model_id: _ModelId, door: Door) -> Served:
    """Free the memory of a model; the next utterance loads it again."""
    await door.administration.unload(model_id)
    return _served(door)


@router.post("/v1/admin/reload", dependencies=_OWNER, responses=_MAY_FAIL)
async def reload(door: Door) -> Served:
    """Choose as at the start, from the settings and what is installed now."""
    await door.administration.reload()
    return _served(door)


def _served(door: DoorState) -> Served:
    return Served(model=door.served.name, model_state=door.engine.state)
