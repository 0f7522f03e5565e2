"""tcp, unix and stdio: where the door can be."""

import asyncio
import socket
import sys
from pathlib import Path

import pytest
from wyoming.asr import Transcript
from wyoming.client import AsyncClient
from wyoming.event import Event, async_read_event, async_write_event

from tests.support.wyoming_door import WORD_S, converse, loud, open_door, utterance
from wyoming_stt.errors import SettingsError
from wyoming_stt.front.wyoming import WyomingOptions

ROOT = Path(__file__).parents[2]


def text_of(answers: list[Event]) -> str:
    (transcript,) = (Transcript.from_event(e) for e in answers if Transcript.is_type(e.type))
    return transcript.text


async def test_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "door.sock"
    async with open_door(WyomingOptions(f"unix://{path}")) as door:
        assert door.server.addresses == (f"unix://{path}",)
        async with AsyncClient.from_uri(door.server.addresses[0]) as client:
            assert text_of(await converse(client, *utterance(loud(WORD_S)))) == "turn"
    assert not path.exists()


async def test_unix_socket_that_a_crash_left_behind(tmp_path: Path) -> None:
    path = tmp_path / "door.sock"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    async with (
        open_door(WyomingOptions(f"unix://{path}")),
        AsyncClient.from_uri(f"unix://{path}") as client,
    ):
        assert text_of(await converse(client, *utterance(loud(WORD_S)))) == "turn"


async def test_ipv6() -> None:
    async with open_door(WyomingOptions("tcp://[::1]:0")) as door:
        (address,) = door.server.addresses
        assert address.startswith("tcp://[::1]:")
        async with AsyncClient.from_uri(address) as client:
            assert text_of(await converse(client, *utterance(loud(WORD_S)))) == "turn"


@pytest.mark.parametrize("utterances", [0, 1, 2])
async def test_standard_streams(utterances: int) -> None:
    server = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.stdio_server",
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    assert server.stderr is not None
    for _ in range(utterances):
        for event in utterance(loud(2 * WORD_S)):
            await async_write_event(event, server.stdin)
    server.stdin.close()
    texts = []
    while (event := await async_read_event(server.stdout)) is not None:
        if Transcript.is_type(event.type):
            texts.append(Transcript.from_event(event).text)
    assert texts == ["turn on"] * utterances
    assert (await server.stderr.read()).decode() == ""
    assert await server.wait() == 0


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:0",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:port",
        "unix://",
        "",
        "tcp://192.0.2.1:0",
    ],
)
async def test_address_that_is_none(uri: str) -> None:
    with pytest.raises(SettingsError, match=r"wyoming\.uri"):
        async with open_door(WyomingOptions(uri)):
            pass


async def test_port_that_is_taken() -> None:
    async with open_door() as door:
        with pytest.raises(SettingsError, match=str(door.port)):
            async with open_door(WyomingOptions(door.server.addresses[0])):
                pass
