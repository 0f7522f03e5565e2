"""The HTTP door: uvicorn in our event loop, under our signals, with an end that we control."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from typing import Final

import uvicorn

from wyoming_stt.engine import Engine, UtteranceOptions
from wyoming_stt.front.administration import Administration
from wyoming_stt.front.drain import turning_away
from wyoming_stt.front.http.app import DoorApp, build_app
from wyoming_stt.front.http.binding import bind, read_admin_token, read_token
from wyoming_stt.front.http.connection import DoorConfig, HttpConnection, WebSocketConnection
from wyoming_stt.front.http.options import HttpOptions
from wyoming_stt.front.http.state import DoorState
from wyoming_stt.front.served import ServedModel
from wyoming_stt.jobs.store import Jobs
from wyoming_stt.observability.metrics import Metrics

__all__ = ["HttpServer", "serve"]

logger = logging.getLogger(__name__)

PING_S: Final = 30.0
"""Between two pings of a WebSocket, and for the answer: who is gone is known in a minute."""
GRACE_S: Final = 1
"""For answers that are already written to reach their clients, when everything else has ended."""


@asynccontextmanager
async def serve(
    engine: Engine,
    options: HttpOptions,
    *,
    defaults: UtteranceOptions,
    promised: ServedModel,
    metrics: Metrics,
    administration: Administration,
    jobs: Jobs | None = None,
) -> AsyncIterator["HttpServer"]:
    """Listen while the block runs; at its end let open requests and streams finish, then close.

    Args:
        engine: need not be ready; it must outlive the block.
        options: of the door.
        defaults: of an utterance, where its client wishes nothing else.
        promised: what clients are told of the model until the engine has loaded it.
        metrics: counts what happens here, and maybe at other doors.
        administration: what its owner may do with the models.
        jobs: takes long recordings; None: there is no queue.

    Raises:
        SettingsError: there is no listening on `options.uri`, or it would not be safe.
    """
    token = read_token(options)
    if options.cors_allow_any:
        logger.warning("Pages of every web site may use the server (--cors-allow-any)")
    admin_token = read_admin_token(options)
    state = DoorState(
        engine, options, defaults, promised, metrics, administration, admin_token, jobs
    )
    server = HttpServer(build_app(state, token), engine, options, await bind(options, token))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


class HttpServer:
    """One running door."""

    def __init__(
        self, app: DoorApp, engine: Engine, options: HttpOptions, sockets: list[socket.socket]
    ) -> None:
        self._app = app
        self._engine = engine
        self._options = options
        self._sockets = sockets
        self._running: asyncio.Task[None] | None = None
        self._uvicorn = _Uvicorn(
            DoorConfig(
                app.serve,
                options,
                http=HttpConnection,
                ws=WebSocketConnection,
                # Up to here the route can say what was wrong with a frame; uvicorn only closes.
                ws_max_size=2 * options.max_frame_bytes,
                ws_ping_interval=PING_S,
                ws_ping_timeout=PING_S,
                ws_per_message_deflate=False,  # a small frame could become a large one
                lifespan="off",
                log_config=None,
                log_level="warning",  # below that it logs addresses with their queries, so tokens
                access_log=False,
                server_header=False,
                proxy_headers=bool(options.trusted_proxies),
                forwarded_allow_ips=list(options.trusted_proxies),
                timeout_keep_alive=options.keep_alive_s,
                timeout_graceful_shutdown=GRACE_S,
            )
        )
        self.addresses = tuple(_url(bound) for bound in sockets)
        """Where clients find it, with the real port."""

    async def start(self) -> None:
        """Serve; returns when clients can come."""
        self._running = asyncio.create_task(self._uvicorn.serve(self._sockets), name="http")
        listening = asyncio.create_task(self._uvicorn.listening.wait())
        await asyncio.wait({self._running, listening}, return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()

    async def stop(self) -> None:
        """Let nothing new begin, wait `drain_s` for what is open, then close."""
        with turning_away(self._engine, self._options.drain_s):
            await self._app.traffic.drain(self._options.drain_s)
        self._uvicorn.should_exit = True
        if self._running is not None:
            await self._running


class _Uvicorn(uvicorn.Server):
    """Tells when it listens, and leaves the signals alone."""

    def __init__(self, config: DoorConfig) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        return nullcontext()


def _url(bound: socket.socket) -> str:
    host, port, *_ = bound.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
