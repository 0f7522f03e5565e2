"""Where clients come from: `tcp://host:port`, `unix:///path`, `stdio://`."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from wyoming_stt.errors import SettingsError

__all__ = ["Accept", "Listener", "listen"]

Accept = Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]


@dataclass(frozen=True, slots=True)
class Listener:
    """What is listened on; standard input is one client that is there from the beginning."""

    addresses: tuple[str, ...] = ()
    """As URIs, with the port that was really taken."""
    server: asyncio.Server | None = None
    socket: Path | None = None

    @property
    def is_open_to_more(self) -> bool:
        """Whether another client can come."""
        return self.server is not None

    def close(self) -> None:
        """Let nobody in any more."""
        if self.server is not None:
            self.server.close()
        if self.socket is not None:
            self.socket.unlink(missing_ok=True)


async def listen(uri: str, accept: Accept, limit: int) -> Listener:
    """Call `accept` for every client; its reader refuses a line of more than `limit` bytes.

    Raises:
        SettingsError: the URI is of no known kind, or cannot be listened on.
    """
    try:
        url = urlsplit(uri)
        match url.scheme:
            case "tcp" if url.hostname and url.port is not None:
                server = await asyncio.start_server(accept, url.hostname, url.port, limit=limit)
                return Listener(tuple(_tcp_uri(s.getsockname()) for s in server.sockets), server)
            case "unix" if url.path:
                server = await asyncio.start_unix_server(accept, url.path, limit=limit)
                return Listener((uri,), server, Path(url.path))
            case "stdio":
                accept(*await _standard_streams(limit))
                return Listener((uri,))
    except (OSError, ValueError) as error:
        raise SettingsError(f"wyoming.uri: cannot listen on {uri}: {error}") from error
    raise SettingsError(
        f"wyoming.uri: {uri!r} is not of the form tcp://host:port, unix:///path or stdio://"
    )


async def _standard_streams(limit: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    # The package's own helpers would do, but for the limit and a writer that cannot be awaited.
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=limit)
    protocol = asyncio.StreamReaderProtocol(reader)
    await loop.connect_read_pipe(lambda: protocol, sys.stdin)
    transport, out = await loop.connect_write_pipe(
        lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), sys.stdout
    )
    return reader, asyncio.StreamWriter(transport, out, None, loop)


def _tcp_uri(name: tuple[str | int, ...]) -> str:
    host, port, *_ = name
    return f"tcp://[{host}]:{port}" if ":" in str(host) else f"tcp://{host}:{port}"
