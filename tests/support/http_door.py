"""A running HTTP door on the scripted model, and clients that say exactly these bytes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from starlette.types import ASGIApp

from tests.support.wyoming_door import PROMISED, load_fake
from wyoming_stt.administration import Administrator
from wyoming_stt.audio.gate import VadOptions
from wyoming_stt.choice import Choice
from wyoming_stt.engine import Engine, EngineOptions, ModelSource, UtteranceOptions
from wyoming_stt.front.http.app import DoorApp
from wyoming_stt.front.http.binding import bind
from wyoming_stt.front.http.middleware.answer import AnswerErrors, ErrorAnswers
from wyoming_stt.front.http.middleware.body import BodyLimits
from wyoming_stt.front.http.middleware.drain import Drain, Traffic
from wyoming_stt.front.http.options import HttpOptions
from wyoming_stt.front.http.server import HttpServer, serve
from wyoming_stt.jobs.options import JobsOptions
from wyoming_stt.jobs.running import running_jobs
from wyoming_stt.jobs.store import Jobs
from wyoming_stt.lifecycle import LifecycleOptions
from wyoming_stt.models.base import Recognizer
from wyoming_stt.observability.metrics import Metrics
from wyoming_stt.settings import ModelSettings, Settings
from wyoming_stt.store import ModelStore

DEFAULTS = UtteranceOptions(vad=VadOptions(kind="energy"))
ANYWHERE = "tcp://127.0.0.1:0"
NOWHERE = Path("/nowhere")
"""Nothing is in this data folder."""


@dataclass
class Door:
    server: HttpServer
    engine: Engine
    metrics: Metrics

    @property
    def url(self) -> str:
        return self.server.addresses[0]

    def client(self, **settings: object) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, timeout=20, **settings)


@contextlib.asynccontextmanager
async def open_door(
    options: HttpOptions | None = None,
    engine_options: EngineOptions | None = None,
    load: Callable[[], Recognizer] = load_fake,
    *,
    ready: bool = True,
    lifecycle: LifecycleOptions | None = None,
    chosen: ModelSource | None = None,
    fallback: ModelSource | None = None,
    data_dir: Path = NOWHERE,
    jobs: JobsOptions | None = None,
) -> AsyncIterator[Door]:
    limits = engine_options or EngineOptions(workers=1)
    source = chosen or ModelSource("fake", load)
    engine = Engine(source, limits, fallback=fallback, lifecycle=lifecycle)
    await engine.start()
    metrics = Metrics(engine)
    try:
        if ready:
            await engine.ready()
        async with (
            _jobs(engine, jobs, data_dir, metrics) as desk,
            serve(
                engine,
                options or HttpOptions(uri=ANYWHERE),
                jobs=desk,
                defaults=DEFAULTS,
                promised=PROMISED,
                metrics=metrics,
                administration=Administrator(
                    engine,
                    Choice(engine.lifecycle.chosen, PROMISED.languages, "the test says so"),
                    Settings(data_dir=data_dir, model=ModelSettings(name="fake")),
                    ModelStore(data_dir),
                    builtin=data_dir / "builtin",
                ),
            ) as server,
        ):
            yield Door(server, engine, metrics)
    finally:
        await engine.close()


def _jobs(
    engine: Engine, options: JobsOptions | None, data_dir: Path, metrics: Metrics
) -> contextlib.AbstractAsyncContextManager[Jobs | None]:
    if options is None:
        return contextlib.nullcontext()
    return running_jobs(
        options,
        data_dir,
        engine,
        defaults=DEFAULTS,
        observer=metrics,
        counted=metrics.jobs_counted,
    )


@contextlib.asynccontextmanager
async def serving(app: ASGIApp, options: HttpOptions) -> AsyncIterator[HttpServer]:
    """Serve an application of the test's own behind the middleware that watches bodies and ends."""
    engine = Engine(ModelSource("fake", load_fake), EngineOptions(workers=1))
    traffic = Traffic(asyncio.Event())
    app = Drain(BodyLimits(app, options), traffic)
    app = AnswerErrors(app, ErrorAnswers(Metrics(engine)))
    server = HttpServer(DoorApp(app, traffic), engine, options, await bind(options, None))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
        await engine.close()


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A bare connection."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def say(url: str, data: bytes) -> bytes:
    """Say that, and return all that is answered until the connection is closed."""
    async with connected(url) as (reader, writer):
        writer.write(data)
        return await rest_of(reader)


async def rest_of(reader: asyncio.StreamReader) -> bytes:
    """Read until the other side has closed or cut the connection."""
    heard = b""
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            heard += data
    return heard
