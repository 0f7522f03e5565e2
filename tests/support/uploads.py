"""Recordings on their way to the HTTP door, and what has to be gone when they are through."""

import asyncio
import contextlib
import io
import json
import threading
import wave
from collections.abc import AsyncIterator, Callable
from typing import Any

from tests.support.http_door import ANYWHERE, Door
from tests.support.recognizers import ScriptedRecognizer, ScriptedStream
from tests.support.wyoming_door import WORD_S, loud
from wyoming_stt.decoding.hypothesis import EMPTY, Hypothesis
from wyoming_stt.front.http.options import HttpOptions

__all__ = [
    "ROUTES",
    "WORDS",
    "Held",
    "address",
    "events",
    "hold",
    "nothing_left",
    "options",
    "post",
    "until",
    "wav",
]

ROUTES = ("/v1/transcribe", "/v1/transcribe/stream")
WORDS = "turn on the kitchen light please"
PATIENCE_S = 20.0


class Held(ScriptedRecognizer):
    """A model that takes audio only when it is let."""

    def __init__(self) -> None:
        super().__init__(push=self.wait)
        self.may_go_on = threading.Event()
        self.pushed = threading.Semaphore(0)

    def wait(self, _: ScriptedStream) -> Hypothesis:
        if not self.may_go_on.is_set():
            self.pushed.release()
        self.may_go_on.wait(60)
        return EMPTY


async def hold(model: Held) -> None:
    """From now on the model is at it and does not return; wait until it is."""
    assert await asyncio.to_thread(model.pushed.acquire, timeout=20)


def options(**settings: object) -> HttpOptions:
    return HttpOptions(uri=ANYWHERE, **settings)


def address(url: str) -> tuple[str, int]:
    host, port = url.removeprefix("http://").rsplit(":", 1)
    return host, int(port)


def wav(seconds: float = 6 * WORD_S) -> bytes:
    """A loud recording, six words long unless told otherwise."""
    file = io.BytesIO()
    with wave.open(file, "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(16_000)
        recording.writeframes(loud(seconds))
    return file.getvalue()


def post(path: str, size: int | None = None, **headers: str) -> bytes:
    """The head of an upload, the only one on its connection; without a size, one in chunks."""
    length = "Transfer-Encoding: chunked" if size is None else f"Content-Length: {size}"
    extra = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = [f"POST {path} HTTP/1.1", "Host: here", "Connection: close", length, *extra, "", ""]
    return "\r\n".join(head).encode()


async def events(reader: asyncio.StreamReader) -> AsyncIterator[dict[str, Any]]:
    """The JSON of an event stream, as it comes in on a bare connection."""
    async with asyncio.timeout(PATIENCE_S):
        while line := await reader.readline():
            if line.startswith(b"data: "):
                yield json.loads(line.removeprefix(b"data: "))


@contextlib.asynccontextmanager
async def nothing_left(door: Door) -> AsyncIterator[None]:
    """Look for leaks: places in the engine, tasks, threads that decode."""
    tasks = asyncio.all_tasks()
    places = door.engine.free_places
    yield
    await until(
        lambda: (
            door.engine.free_places == places
            and asyncio.all_tasks() <= tasks
            and not any(thread.name == "media" for thread in threading.enumerate())
        )
    )


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what nobody tells us."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.01)
