"""Nothing is lost, and nothing changes places, by reading now and then."""

import pytest
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import connect

from tests.support.http_door import ANYWHERE, serving
from wyoming_stt.front.http.options import HttpOptions
from wyoming_stt.front.http.websocket.pace import Pace, pace_of

MOST = 1_000


class Collect:
    """Keeps what comes, and answers each text with it."""

    def __init__(self, *, is_calm: bool) -> None:
        self.is_calm = is_calm
        self.frames: list[bytes | str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        pace = pace_of(scope)
        pace.is_calm, pace.max_joined_bytes = self.is_calm, MOST
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            if "text" in message:
                self.frames.append(message["text"])
                await send(message | {"type": "websocket.send"})
            else:
                self.frames.append(message["bytes"])
            if message.get("text") == "wake":
                pace.is_calm = False


async def say(app: Collect, *messages: bytes | str) -> None:
    options = HttpOptions(uri=ANYWHERE)
    async with serving(app, options) as server:
        url = server.addresses[0].replace("http", "ws")
        async with connect(url) as client:
            for message in messages:
                await client.send(message)
            for _ in range(sum(isinstance(message, str) for message in messages)):
                await client.recv()


def bursts(frames: list[bytes | str]) -> list[bytes | str]:
    """Join neighbouring bytes."""
    joined: list[bytes | str] = []
    for frame in frames:
        if joined and isinstance(joined[-1], bytes) and isinstance(frame, bytes):
            joined[-1] += frame
        else:
            joined.append(frame)
    return joined


async def test_frames_of_the_calm_are_joined_up_to_the_limit() -> None:
    app = Collect(is_calm=True)
    sent = [bytes([n] * 90) for n in range(100)]
    await say(app, *sent, "done")
    assert bursts(app.frames) == [b"".join(sent), "done"]
    assert len(app.frames) < 100
    assert max(map(len, app.frames)) <= MOST


async def test_texts_stay_between_the_frames_where_they_were() -> None:
    app = Collect(is_calm=True)
    sent: list[bytes | str] = [b"1", "a", b"2", b"3", "wake", b"4", b"5", b"x" * 2 * MOST, "end"]
    await say(app, *sent)
    assert bursts(app.frames) == bursts(sent)


async def test_others_get_each_frame_as_it_came() -> None:
    app = Collect(is_calm=False)
    sent: list[bytes | str] = [b"1", b"2", b"", "a", b"3", "end"]
    await say(app, *sent)
    assert app.frames == sent


@pytest.mark.parametrize("extensions", [{}, {"websocket.http.response": {}}])
def test_another_server_has_no_pace(extensions: dict[str, object]) -> None:
    assert isinstance(pace_of({"type": "websocket", "extensions": extensions}), Pace)
