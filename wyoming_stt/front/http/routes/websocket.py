"""`/v1/ws`: PCM in, words out, for whoever stays connected. The protocol: `docs/http-api.md`."""

import logging
from typing import Final

from fastapi import APIRouter, WebSocket

from wyoming_stt.front.http.state import Door
from wyoming_stt.front.http.websocket.connection import serve_client

__all__ = ["deprecated_websocket", "router", "websocket"]

logger = logging.getLogger(__name__)

router: Final = APIRouter()


@router.websocket("/v1/ws")
async def websocket(socket: WebSocket, door: Door) -> None:
    """Transcribe what a client says while it speaks."""
    await serve_client(socket, door)


@router.websocket("/ws")
async def deprecated_websocket(socket: WebSocket, door: Door) -> None:
    """Do the same under the old name."""
    logger.warning("/ws is deprecated and will go: clients should connect to /v1/ws")
    await serve_client(socket, door)
