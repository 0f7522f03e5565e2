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
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from wyoming_stt.data_folder import open_store
from wyoming_stt.doors import open_doors
from wyoming_stt.engine import Engine, ModelSource
from wyoming_stt.errors import ModelError, ModelFileError, SettingsError
from wyoming_stt.front.announce.options import AnnounceOptions
from wyoming_stt.front.served import ServedModel
from wyoming_stt.models.registry import FAKE, load_model
from wyoming_stt.readiness import notify_listening, notify_stopping
from wyoming_stt.settings import ModelSettings, Settings
from wyoming_stt.store import ModelStore, installed_in

__all__ = ["BUILTIN", "choose_model", "running_engine", "serve"]

logger = logging.getLogger(__name__)

BUILTIN: Final = Path(__file__).parent / "builtin"
"""Models that come with the package, a folder each."""
DEFAULT_MODEL: Final = "home-en"
DEFAULT_LANGUAGES: Final = ("en",)
"""Of a model that says nothing, and of which the settings say nothing."""
STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


def choose_model(
    settings: ModelSettings, builtin: Path = BUILTIN, store: ModelStore | None = None
) -> Path | str:
    """Return the model's folder, or the name of the one that needs none.

    Raises:
        SettingsError: no model is chosen, or one that neither came with the package nor is in the
            store.
        ModelFileError: the folder does not exist.
    """
    if settings.dir is not None:
        if settings.name is not None:
            raise SettingsError("model.name and model.dir are both set: choose one of them")
        folder = settings.dir.expanduser()
        if not folder.is_dir():
            raise ModelFileError(folder, "a folder with a model", "nothing")
        return folder
    if settings.name == FAKE:
        return FAKE
    folders = {path.name: path for path in sorted(builtin.glob("*/"))}
    name = settings.name or DEFAULT_MODEL
    if name in folders:
        return folders[name]
    if settings.name is not None:
        return _installed(settings.name, [FAKE, *folders], store)
    raise SettingsError(
        "no model is chosen, and this package comes without one: name the folder of a streaming "
        "or offline transducer (ONNX files and tokens.txt) with --model-dir DIR, or try the "
        f"server with --model {FAKE}, which hears the same words in everything; in the Home "
        "Assistant app the folder is its option custom_model"
    )


def _installed(name: str, packaged: Sequence[str], store: ModelStore | None) -> Path:
    """Return the folder of a model in the store, by its id or its publisher's name.

    Raises:
        SettingsError: it is not there; the message says how it gets there, if it can.
    """
    spec = store.catalog().get(name) if store else None
    files = store.installed(spec.id if spec else name) if store else None
    if files is not None:
        return files.folder
    if spec is not None:
        raise SettingsError(
            f"the model {name!r} is not installed: wyoming-stt models pull {spec.id}"
        )
    raise SettingsError(
        f"no model {name!r} in this package: {', '.join(packaged)}; others are installed with "
        "wyoming-stt models pull"
    )


@asynccontextmanager
async def running_engine(settings: Settings) -> AsyncIterator[Engine]:
    """Start to load the model, and close the engine at the end.

    Raises:
        SettingsError, ModelFileError: as `choose_model`.
    """
    chosen = choose_model(settings.model, store=open_store(settings))
    fallback = BUILTIN / DEFAULT_MODEL
    needs_fallback = chosen != fallback and fallback.is_dir()
    engine = Engine(
        _source(chosen, settings),
        settings.engine,
        fallback=_source(fallback, settings) if needs_fallback else None,
        lifecycle=settings.lifecycle,
        degrade=settings.degrade,
    )
    await engine.start()
    try:
        yield engine
    finally:
        await engine.close()


def _source(model: Path | str, settings: Settings) -> ModelSource:
    load = partial(load_model, model, languages=_languages(model, settings), options=settings.ort)
    return ModelSource(Path(model).name, load)


def _languages(model: Path | str, settings: Settings) -> tuple[str, ...]:
    """Return what the settings say, else the catalogue at the time of the installation."""
    files = installed_in(Path(model))
    return settings.model.languages or (files.manifest.languages if files else DEFAULT_LANGUAGES)


async def serve(settings: Settings) -> None:
    """Serve until a signal says otherwise; the port is open while the model still loads.

    Raises:
        SettingsError, ModelFileError: no model to load, or no listening on the address.
    """
    stop = asyncio.Event()
    _set_on_signal(stop)
    # What was started last stops first: goodbye to the network, drain, then the engine.
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(running_engine(settings))
        doors = await stack.enter_async_context(open_doors(engine, settings, _promised(settings)))
        server = doors.wyoming
        logger.info("Listening on %s; the model is loading", ", ".join(server.addresses))
        for url in doors.http:
            logger.info("HTTP on %s, described at %s/docs", url, url)
        await stack.enter_async_context(_announced(settings.announce, server.addresses))
        hints = partial(_hint, server.addresses, doors.http) if settings.log.hints else None
        report = asyncio.create_task(_report(engine, hints))
        stack.callback(report.cancel)
        deserted = asyncio.create_task(server.ended.wait())
        deserted.add_done_callback(lambda _: stop.set())
        stack.callback(deserted.cancel)
        notify_listening(settings.readiness)
        await stop.wait()
        notify_stopping(settings.readiness)
        drain_s = max(settings.wyoming.drain_s, settings.http.drain_s if doors.http else 0)
        logger.info("Stopping; open utterances have %g s to end", drain_s)
    logger.info("Stopped")


def _promised(settings: Settings) -> ServedModel:
    model = choose_model(settings.model, store=open_store(settings))
    return ServedModel(Path(model).name, _languages(model, settings))


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


def _set_on_signal(event: asyncio.Event) -> None:
    """Set the event on SIGTERM or Ctrl-C; a second signal ends the process at once."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        event.set()
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop)
