"""The body of a request: taken as fast as it comes, and given out as slowly as need be.

Only who reads hears that a client goes away. Behind a body that waits in the buffers of both
machines nothing is heard of it, and the work would go on for nobody.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from types import TracebackType
from typing import Any, Final, NoReturn, Self, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from wyoming_stt.front.http.errors import ErrorCode, HttpError
from wyoming_stt.temporary_file import TemporaryFile

__all__ = ["Body", "not_empty", "unless"]

T = TypeVar("T")

MEMORY_BYTES: Final = 262_144
"""As much of a body is kept in memory: 8 s of what microphones give. The rest waits on disk."""
READ_BYTES: Final = 65_536


class Body:
    """An asynchronous context manager; iterate as often as you like, also while it arrives.

    Iterating raises `ClientDisconnect` as soon as the client has gone, whatever is left to read,
    and `HttpError` where the body is refused.
    """

    def __init__(self, request: Request) -> None:
        self.content_type = request.headers.get("content-type", "")
        self._request = request
        self._head = bytearray()
        self._file: TemporaryFile | None = None
        self._size = 0
        self._is_complete = False
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._reading = asyncio.create_task(self._read(), name="read body")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        if self._file is not None:
            await asyncio.shield(asyncio.to_thread(self._file.close))

    async def __aiter__(self) -> AsyncIterator[bytes]:
        position = 0
        while True:
            if self._reading.done():
                self._reading.result()
            elif position < self._size:
                piece = await self._read_back(position)
                position += len(piece)
                yield piece
            elif self._is_complete:
                return
            else:
                self._news.clear()
                await self._news.wait()

    async def while_present(self, work: Awaitable[T]) -> T:
        """Return what the work does (never None); give it up as soon as the client goes away.

        Raises:
            ClientDisconnect: it has gone.
            HttpError: the body is refused.
        """
        result = await unless(self._reading, work)
        return self._reading.result() if result is None else result

    async def receive(self) -> Message:
        """Wait until the client has gone, and say it as ASGI does."""
        await asyncio.wait([self._reading])
        if not isinstance(self._reading.exception(), ClientDisconnect):
            await asyncio.Event().wait()  # refused: whoever reads the body is told
        return {"type": "http.disconnect"}

    async def _read(self) -> NoReturn:
        """Read to the end, and listen on: what comes then is the news that the client has gone."""
        try:
            async for data in self._request.stream():
                await self._keep(data)
                self._size += len(data)
                self._news.set()
            self._is_complete = True
            self._news.set()
            await self._request.receive()
            raise ClientDisconnect
        except OSError as error:
            message = f"there is no room for the recording: {error.strerror}"
            raise HttpError(ErrorCode.SATURATED, message) from error
        finally:
            self._news.set()

    async def _keep(self, data: bytes) -> None:
        room = max(0, MEMORY_BYTES - self._size)
        self._head += data[:room]
        if len(data) > room:
            self._file = self._file or TemporaryFile()
            start = self._size + room - MEMORY_BYTES
            await asyncio.to_thread(self._file.write, data[room:], start)

    async def _read_back(self, position: int) -> bytes:
        if position < len(self._head) or self._file is None:
            return bytes(self._head[position : position + READ_BYTES])
        return await asyncio.to_thread(self._file.read, READ_BYTES, position - MEMORY_BYTES)


async def unless(other: asyncio.Future[Any], work: Awaitable[T]) -> T | None:
    """Do the work; None, and the work given up, where the other thing happens first."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task, other}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def not_empty(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Pass on the pieces of a recording.

    Raises:
        HttpError: there was not a byte.
    """
    is_empty = True
    async for piece in pieces:
        is_empty = False
        yield piece
    if is_empty:
        raise HttpError(ErrorCode.EMPTY_BODY)
