"""The routes: one module each, registered here and nowhere else."""

from typing import Final

from fastapi import APIRouter

from wyoming_stt.front.http.routes import (
    admin,
    docs,
    health,
    jobs,
    models,
    openai,
    transcribe,
    websocket,
)

__all__ = ["ROUTERS"]

ROUTERS: Final[tuple[APIRouter, ...]] = (
    health.router,
    models.router,
    admin.router,
    transcribe.router,
    openai.router,
    jobs.router,
    websocket.router,
    docs.router,
)
