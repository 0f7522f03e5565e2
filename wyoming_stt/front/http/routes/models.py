"""`/v1/models`: what is served, in OpenAI's shape and with what its clients do not know of."""

from typing import Final

from fastapi import APIRouter

from wyoming_stt.errors import UnknownModelError
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
    """List the models."""
    return ModelList(data=[_entry(door)])


@router.get("/v1/models/{model_id}", responses=documented(ErrorCode.MODEL_NOT_FOUND))
async def model(model_id: str, door: Door) -> ModelEntry:
    """Describe one model."""
    entry = _entry(door)
    if model_id != entry.id:
        raise UnknownModelError(model_id, (entry.id,))
    return entry


def _entry(door: DoorState) -> ModelEntry:
    info = door.engine.info
    return ModelEntry(
        id=door.served.name,
        owned_by="wyoming-stt",
        family=None if info is None else info.family,
        languages=list(door.served.languages),
        version=None if info is None else info.version,
        sha256=None if info is None else info.sha256,
        precision=None if info is None else info.precision,
        vocab_size=None if info is None else info.vocab_size,
        streaming=None if info is None else info.streaming,
        installed=True,
        active=True,
        supported_formats=list(FORMATS),
        supported_rates=list(RATES),
        pool_size=door.engine.options.max_utterances,
        pool_available=door.engine.free_places,
        diarization=False,
    )
