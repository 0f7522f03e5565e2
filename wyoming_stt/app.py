"""The composition root: which parts there are, in what order they start and stop."""

import asyncio
import logging
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from wyoming_stt.administration import Administrator
from wyoming_stt.choice import Choice, choose
from wyoming_stt.data_folder import data_folder, open_store
from wyoming_stt.doors import open_doors
from wyoming_stt.engine import Engine
from wyoming_stt.errors import ModelError
from wyoming_stt.front.announce.options import AnnounceOptions
from wyoming_stt.front.served import ServedModel
from wyoming_stt.memory import keep_blocks_apart
from wyoming_stt.observability.history import FILE, History
from wyoming_stt.observability.recorder import recorded
from wyoming_stt.observability.summary import summarised
from wyoming_stt.observability.tally import Tally, counted
from wyoming_stt.readiness import notify_listening, notify_stopping
from wyoming_stt.settings import Settings
from wyoming_stt.upgrade import keep_installed

__all__ = ["running_engine", "serve", "set_on_signal"]

logger = logging.getLogger(__name__)

STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


@asynccontextmanager
async def running_engine(
    settings: Settings, choice: Choice | None = None, *, fallback: bool = True
) -> AsyncIterator[Engine]:
    """Start to load the model, and close the engine at the end.

    Args:
        settings: Everything that can be chosen.
        choice: The model; by default what the settings come to.
        fallback: Whether another model may serve where this one cannot be used.

    Raises:
        SettingsError, ModelFileError: as `choose`.
    """
    choice = choice or choose(settings, open_store(settings))
    engine = Engine(
        choice.chosen,
        settings.engine,
        fallback=choice.fallback if fallback else None,
        lifecycle=settings.lifecycle,
        degrade=settings.degrade,
        expected=settings.utterance,
    )
    await engine.start()
    try:
        yield engine
    finally:
        await engine.close()


async def serve(settings: Settings) -> None:
    """Serve until a signal says otherwise; the port is open while the model still loads.

    Raises:
        SettingsError, ModelFileError: no model to load, or no listening on the address.
    """
    keep_blocks_apart()
    stop = asyncio.Event()
    set_on_signal(stop)
    store = open_store(settings)
    choice = choose(settings, store)
    logger.info("Model %s: %s", choice.chosen.name, choice.reason)
    promised = ServedModel(choice.chosen.name, choice.languages)
    # What was started last stops first: goodbye to the network, drain, then the engine.
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(running_engine(settings, choice))
        tally = Tally()
        await stack.enter_async_context(_remembered(tally, engine, settings))
        doors = await stack.enter_async_context(
            open_doors(
                engine,
                settings,
                promised,
                tally=tally,
                administration=Administrator(engine, choice, settings, store),
            )
        )
        server = doors.wyoming
        logger.info("Listening on %s; the model is loading", ", ".join(server.addresses))
        for url in doors.http:
            logger.info("HTTP on %s, described at %s/docs", url, url)
        await stack.enter_async_context(_announced(settings.announce, server.addresses))
        hints = partial(_hint, server.addresses, doors.http) if settings.log.hints else None
        report = asyncio.create_task(_report(engine, hints))
        stack.callback(report.cancel)
        fetching = asyncio.create_task(keep_installed(engine, choice, store, settings))
        stack.push_async_callback(_ended, fetching)
        deserted = asyncio.create_task(server.ended.wait())
        deserted.add_done_callback(lambda _: stop.set())
        stack.callback(deserted.cancel)
        notify_listening(settings.readiness)
        await stop.wait()
        notify_stopping(settings.readiness)
        drain_s = max(settings.wyoming.drain_s, settings.http.drain_s if doors.http else 0)
        logger.info("Stopping; open utterances have %g s to end", drain_s)
    logger.info("Stopped")


@asynccontextmanager
async def _remembered(tally: Tally, engine: Engine, settings: Settings) -> AsyncIterator[None]:
    """Keep the statistics while the block runs, and tell the log how it is."""
    options = settings.statistics
    async with AsyncExitStack() as stack:
        if options.enabled:
            history = History(data_folder(settings) / FILE, options.keep_days)
            count = partial(counted, tally, engine)
            await stack.enter_async_context(recorded(history, count, options.every_s))
        await stack.enter_async_context(summarised(tally, engine, settings.log.summary_every_s))
        yield


@asynccontextmanager
async def _announced(options: AnnounceOptions, addresses: Sequence[str]) -> AsyncIterator[None]:
    """Tell the local network where the server is, while the block runs."""
    sockets = [(url.hostname, url.port) for url in map(urlsplit, addresses) if _is_shared(url)]
    if not options.enabled or not sockets:
        yield
        return
    # Imported here: whoever does not announce does not pay for zeroconf.
    from wyoming_stt.front.announce.announcer import Announcer  # noqa: PLC0415

    async with Announcer(options) as announcer:
        await announcer.start(sockets, sockets[0][1] or 0)
        yield


async def _ended(task: asyncio.Task[None]) -> None:
    """Cancel a task, and wait until it is over."""
    task.cancel()
    await asyncio.wait([task])


async def _report(engine: Engine, hint: Callable[[], None] | None) -> None:
    """Say when the server is of use, and how to use it; or why it is not."""
    try:
        info = (await engine.ready()).info
    except ModelError as error:
        # A person's mistake rather than a fault of ours: no traceback.
        logger.error("Every utterance is refused, the model cannot be used: %s", error)  # noqa: TRY400
        return
    languages = ", ".join(info.languages)
    logger.info("Ready: model %s (%s), languages: %s", info.name, info.family, languages)
    if hint is not None:
        hint()


def _hint(addresses: Sequence[str], urls: Sequence[str]) -> None:
    # As it can be typed here: a virtual environment need not be on the path.
    program = shutil.which("wyoming-stt") or f"{sys.executable} -m wyoming_stt"
    for address in addresses:
        logger.info("Try it: %s say FILE --uri %s", program, address)
    for url in urls:
        logger.info("Try it: curl --data-binary @FILE %s/v1/transcribe", url)
    if any(_is_shared(urlsplit(address)) for address in addresses):
        logger.info(
            "Home Assistant finds it by itself, or: Settings > Devices & services > "
            "Add integration > Wyoming Protocol, with this machine's address and that port"
        )
    else:
        logger.info("Only this machine can reach it; for the network: --uri tcp://0.0.0.0:10300")


def _is_shared(url: SplitResult) -> bool:
    """Tell whether other machines may reach the address."""
    try:
        return not ip_address((url.hostname or "").partition("%")[0]).is_loopback
    except ValueError:
        return False  # a path, or standard input


def set_on_signal(event: asyncio.Event) -> None:
    """Set the event on SIGTERM or Ctrl-C; a second signal ends the process at once."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        event.set()
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop)
