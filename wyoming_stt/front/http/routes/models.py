"""`/v1/models`: what is served, in OpenAI's shape and with what its clients do not know of."""

import asyncio
from dataclasses import replace
from typing import Final

from fastapi import APIRouter

from wyoming_stt.errors import UnknownModelError
from wyoming_stt.front.administration import KnownModel
from wyoming_stt.front.http.errors import ErrorCode
from wyoming_stt.front.http.openapi import documented
from wyoming_stt.front.http.schemas import ModelEntry, ModelList
from wyoming_stt.front.http.state import Door, DoorState
from wyoming_stt.front.http.websocket.conversation import RATES

__all__ = ["model", "models", "router"]

router: Final = APIRouter(tags=["Models"])

FORMATS: Final = ("wav", "mp3", "m4a", "aac", "ogg", "opus", "flac", "webm")
"""Containers that clients may count on; what else PyAV reads is taken, too."""


@router.get("/v1/models")
async def models(door: Door) -> ModelList:
    """List the models on this machine; the active one is served, the others can be activated."""
    return ModelList(data=await _entries(door))


@router.get("/v1/models/{model_id}", responses=documented(ErrorCode.MODEL_NOT_FOUND))
async def model(model_id: str, door: Door) -> ModelEntry:
    """Describe one model."""
    entries = {entry.id: entry for entry in await _entries(door)}
    if model_id not in entries:
        raise UnknownModelError(model_id, tuple(entries))
    return entries[model_id]


async def _entries(door: DoorState) -> list[ModelEntry]:
    known = {facts.id: facts for facts in await asyncio.to_thread(door.administration.models)}
    served = known.pop(door.served.name, KnownModel(door.served.name, ()))
    active = _active(door, replace(served, languages=door.served.languages))
    return [active, *(_entry(door, facts) for facts in known.values())]


def _active(door: DoorState, facts: KnownModel) -> ModelEntry:
    info = door.engine.info
    if info is None:
        return _entry(door, facts, active=True)
    loaded = {
        name: getattr(info, name)
        for name in ("family", "version", "sha256", "precision", "vocab_size", "streaming")
    }
    return _entry(door, facts, active=True).model_copy(update=loaded)


def _entry(door: DoorState, facts: KnownModel, *, active: bool = False) -> ModelEntry:
    return ModelEntry(
        id=facts.id,
        owned_by="wyoming-stt",
        family=facts.family,
        languages=list(facts.languages),
        version=facts.version,
        sha256=None,
        precision=None,
        vocab_size=None,
        streaming=None,
        installed=facts.installed,
        active=active,
        supported_formats=list(FORMATS),
        supported_rates=list(RATES),
        pool_size=door.engine.options.max_utterances,
        pool_available=door.engine.free_places if active else 0,
        diarization=False,
    )
