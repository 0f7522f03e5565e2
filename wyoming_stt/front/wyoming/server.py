"""The Wyoming door: lets clients in, counts them, and sees them out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from wyoming_stt.engine import Engine, UtteranceOptions
from wyoming_stt.errors import OverloadedError
from wyoming_stt.front.drain import turning_away
from wyoming_stt.front.served import ServedModel
from wyoming_stt.front.wyoming.connection import Connection
from wyoming_stt.front.wyoming.conversation import Conversation
from wyoming_stt.front.wyoming.listener import Listener, listen
from wyoming_stt.front.wyoming.options import WyomingOptions
from wyoming_stt.observability.observer import Nobody, Observer

__all__ = ["WyomingServer", "serve"]


@asynccontextmanager
async def serve(
    engine: Engine,
    options: WyomingOptions,
    *,
    defaults: UtteranceOptions,
    promised: ServedModel,
    observer: Observer | None = None,
) -> AsyncIterator["WyomingServer"]:
    """Listen while the block runs; at its end let open utterances finish, then close.

    Args:
        engine: need not be ready; it must outlive the block.
        options: of the door.
        defaults: of an utterance, where its client wishes nothing else.
        promised: what clients are told of the model until the engine has loaded it.
        observer: who wants to know of utterances.

    Raises:
        SettingsError: there is no listening on `options.uri`.
    """
    server = WyomingServer(engine, options, defaults, promised, observer or Nobody())
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


class WyomingServer:
    """The clients of one door."""

    def __init__(
        self,
        engine: Engine,
        options: WyomingOptions,
        defaults: UtteranceOptions,
        promised: ServedModel,
        observer: Observer,
    ) -> None:
        self._observer = observer
        self._engine = engine
        self._options = options
        self._defaults = defaults
        self._promised = promised
        self._listener = Listener()
        self._serving: set[Connection] = set()
        self._visits: dict[asyncio.Task[None], Connection] = {}
        self._stopping = False
        self.ended = asyncio.Event()
        """Set when nobody can come any more: standard input, the only client, has ended. Whoever
        runs the server waits for it, and may set it for other reasons to stop."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where clients find it, as URIs with the real port."""
        return self._listener.addresses

    async def start(self) -> None:
        """Listen.

        Raises:
            SettingsError: that is not possible on this URI.
        """
        limit = self._options.max_header_bytes
        self._listener = await listen(self._options.uri, self._accept, limit)

    async def stop(self) -> None:
        """Let nobody in, wait `drain_s` for open utterances, then close what is left."""
        self._stopping = True
        self._listener.close()
        until = asyncio.get_running_loop().time() + self._options.drain_s
        for connection in self._serving:
            connection.drain(until)
        if self._visits:
            # The open ones end themselves; only a client that does not take its answer is late.
            patience_s = self._options.drain_s + 2 * self._options.linger_s
            with turning_away(self._engine, self._options.drain_s):
                await asyncio.wait(self._visits, timeout=patience_s)
        for visit, connection in self._visits.items():
            connection.abort()
            visit.cancel()
        await asyncio.gather(*self._visits, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        most = self._options.max_connections
        # To tell a client that there is no place takes a moment, so that is bounded too.
        if self._stopping or len(self._visits) >= 2 * most:
            writer.transport.abort()
            return
        conversation = Conversation(self._options, self._defaults, self._served)
        connection = Connection(
            reader,
            writer,
            conversation,
            self._engine,
            self._options,
            observer=self._observer,
        )
        if len(self._serving) < most:
            self._serving.add(connection)
            visit = self._visit(connection)
        else:
            visit = connection.close(
                OverloadedError(f"{most} clients are here (setting wyoming.max_connections)")
            )
        task = asyncio.create_task(visit)
        self._visits[task] = connection
        task.add_done_callback(self._visits.pop)

    async def _visit(self, connection: Connection) -> None:
        try:
            failure = await connection.converse()
        finally:
            self._serving.discard(connection)
        await connection.close(failure)
        if not self._listener.is_open_to_more:
            self.ended.set()

    def _served(self) -> ServedModel:
        return ServedModel.of(self._engine, self._promised)
