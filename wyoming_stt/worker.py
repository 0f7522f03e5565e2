"""A process that only does jobs, for a server that others reach."""

import asyncio
import logging
from contextlib import AsyncExitStack

from wyoming_stt.app import running_engine, set_on_signal
from wyoming_stt.data_folder import data_folder
from wyoming_stt.errors import SettingsError
from wyoming_stt.observability.summary import summarised
from wyoming_stt.observability.tally import Tally
from wyoming_stt.settings import Settings

__all__ = ["work"]

logger = logging.getLogger(__name__)


async def work(settings: Settings) -> None:
    """Do jobs until a signal says otherwise; what is not done then waits for another worker.

    Raises:
        SettingsError, ModelFileError, ModelError: no queue, or no model to work with.
    """
    from wyoming_stt.jobs.running import running_jobs  # noqa: PLC0415 - so says `doors`, too

    if settings.jobs.backend == "off" or not settings.jobs.workers:
        raise SettingsError("jobs.backend is off, or jobs.workers is 0: there is nothing to do")
    stop = asyncio.Event()
    set_on_signal(stop)
    tally = Tally()
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(running_engine(settings))
        await engine.ready()
        await stack.enter_async_context(summarised(tally, engine, settings.log.summary_every_s))
        await stack.enter_async_context(
            running_jobs(
                settings.jobs,
                data_folder(settings),
                engine,
                defaults=settings.utterance,
                observer=tally,
            )
        )
        logger.info("Working: %d jobs at once, queue: %s", settings.jobs.workers, _kind(settings))
        await stop.wait()
        logger.info("Stopping; what is not done goes back to the queue")
    logger.info("Stopped")


def _kind(settings: Settings) -> str:
    """Name the backend without its address, which may hold a password."""
    return settings.jobs.backend.partition(":")[0]
