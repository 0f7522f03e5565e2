"""WebSocket clients: what they say, and all that they are told."""

import contextlib
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

__all__ = ["AT_16_KHZ", "STOP", "Talk", "client", "configure", "cut", "refusal", "say"]

STOP = '{"type": "stop"}'
FRAME = 3_200


def configure(**wishes: Any) -> str:
    return json.dumps({"type": "configure", **wishes})


AT_16_KHZ = configure(sample_rate=16_000)


def cut(pcm: bytes, size: int = FRAME) -> Iterator[bytes]:
    return (pcm[at : at + size] for at in range(0, len(pcm), size))


@dataclass
class Talk:
    """A connection from `ready` to its close."""

    socket: ClientConnection
    ready: dict[str, Any]
    told: list[dict[str, Any]] = field(default_factory=list)

    async def say(self, *messages: str | bytes) -> None:
        """Send everything, unless the server closes first."""
        with contextlib.suppress(ConnectionClosed):
            for message in messages:
                await self.socket.send(message)

    async def next(self, kind: str) -> dict[str, Any]:
        """Read to the next message of that type."""
        async for text in self.socket:
            self.told.append(json.loads(text))
            if self.told[-1]["type"] == kind:
                return self.told[-1]
        raise AssertionError(f"no {kind} in {self.told}, closed {self.socket.close_code}")

    async def end(self) -> int | None:
        """Read to the close; return its code."""
        with contextlib.suppress(ConnectionClosed):
            async for text in self.socket:
                self.told.append(json.loads(text))
        return self.socket.close_code

    @property
    def texts(self) -> list[str]:
        """Of the utterances that ended."""
        return [message["text"] for message in self.told if message["type"] == "final"]

    @property
    def codes(self) -> list[str]:
        """Of the errors."""
        return [message["code"] for message in self.told if message["type"] == "error"]


@contextlib.asynccontextmanager
async def client(url: str, path: str = "/v1/ws", **settings: Any) -> AsyncIterator[Talk]:
    """Connect to the door at `url`, as `http://HOST:PORT`."""
    address = url.replace("http", "ws", 1) + path
    async with connect(address, open_timeout=20, **settings) as socket:
        yield Talk(socket, json.loads(await socket.recv()))


async def say(
    url: str, messages: Iterable[str | bytes], **settings: Any
) -> tuple[Talk, int | None]:
    """Say all that on a connection of its own; return what came back, and how it was closed."""
    async with client(url, **settings) as talk:
        await talk.say(*messages)
        return talk, await talk.end()


async def refusal(url: str, path: str = "/v1/ws", **settings: Any) -> tuple[int, str]:
    """Expect not to be let in; return the status and the code."""
    try:
        async with client(url, path, **settings):
            raise AssertionError("let in")
    except InvalidStatus as error:
        return error.response.status_code, json.loads(error.response.body)["code"]
