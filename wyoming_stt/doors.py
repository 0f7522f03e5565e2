"""The doors to one engine: which are open, and that they close side by side."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wyoming_stt.data_folder import data_folder
from wyoming_stt.engine import Engine
from wyoming_stt.front import wyoming
from wyoming_stt.front.administration import Administration
from wyoming_stt.front.served import ServedModel
from wyoming_stt.jobs.store import Jobs
from wyoming_stt.observability.observer import Observer
from wyoming_stt.observability.tally import Tally
from wyoming_stt.session import UtteranceOptions
from wyoming_stt.settings import Settings

if TYPE_CHECKING:
    from wyoming_stt.observability.metrics import Metrics

__all__ = ["Doors", "open_doors"]


@dataclass(frozen=True, slots=True)
class Doors:
    """What clients can come through."""

    wyoming: wyoming.WyomingServer
    http: tuple[str, ...] = ()
    """Addresses of the HTTP door, as URLs; none where it is off."""


@asynccontextmanager
async def open_doors(
    engine: Engine,
    settings: Settings,
    promised: ServedModel,
    *,
    tally: Tally,
    administration: Administration,
) -> AsyncIterator[Doors]:
    """Listen while the block runs; at its end let what is open finish, then close.

    Args:
        engine: need not be ready.
        settings: of the doors.
        promised: what clients are told of the model until it is loaded.
        tally: counts what happens at all doors.
        administration: what the HTTP door may tell of the machine, and do with its models.

    Raises:
        SettingsError: there is no listening on one of the addresses.
    """
    defaults = settings.utterance
    observer: Observer = tally
    stops = []
    async with AsyncExitStack() as stack:
        addresses: tuple[str, ...] = ()
        if settings.http.enabled and not settings.wyoming.uri.startswith("stdio:"):
            # Imported here: whoever does without HTTP does not pay for it.
            from wyoming_stt.front.http import server as http  # noqa: PLC0415
            from wyoming_stt.observability.metrics import Metrics  # noqa: PLC0415

            observer = metrics = Metrics(engine, tally)
            jobs = await stack.enter_async_context(_jobs(engine, settings, defaults, metrics))
            second = await stack.enter_async_context(
                http.serve(
                    engine,
                    settings.http,
                    defaults=defaults,
                    promised=promised,
                    metrics=metrics,
                    administration=administration,
                    jobs=jobs,
                )
            )
            addresses = second.addresses
            stops.append(second.stop)
        first = await stack.enter_async_context(
            wyoming.serve(
                engine, settings.wyoming, defaults=defaults, promised=promised, observer=observer
            )
        )
        stops.append(first.stop)
        yield Doors(first, addresses)
        # Whoever stops us counts the time that all of them take together.
        await asyncio.gather(*(stop() for stop in stops))


@asynccontextmanager
async def _jobs(
    engine: Engine, settings: Settings, defaults: UtteranceOptions, metrics: "Metrics"
) -> AsyncIterator[Jobs | None]:
    """Take and do jobs while the block runs, if the settings want any."""
    if settings.jobs.backend == "off":
        yield None
        return
    from wyoming_stt.jobs.running import running_jobs  # noqa: PLC0415

    async with running_jobs(
        settings.jobs,
        data_folder(settings),
        engine,
        defaults=defaults,
        observer=metrics,
        counted=metrics.jobs_counted,
    ) as desk:
        yield desk
