"""The WebSocket of a server as a user starts it, through the `websockets` package."""

import asyncio
from collections.abc import Iterator

import httpx
import numpy as np
import pytest

from tests.support.program import Server, server
from tests.support.sound import quiet
from tests.support.websocket import AT_16_KHZ, STOP, client, configure, cut, refusal, say


def loud(duration_s: float, rate: int = 16_000) -> bytes:
    """Noise that also the detector of a real server takes for speech."""
    noise = np.random.default_rng(1).normal(0, 3_000, round(duration_s * rate))
    return noise.astype("<i2").tobytes()


SPEECH = quiet(0.5) + loud(1.3)
UTTERANCE = SPEECH + quiet(2.0)
TEXT = "turn on the"


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with server("--model", "fake", patience_s=120) as started:
        yield started


@pytest.fixture(scope="module")
def url(running: Server) -> str:
    return running.http()


async def test_a_client_of_gigastt(url: str) -> None:
    wishes = configure(
        sample_rate=16_000, diarization=False, protocol_version="1.0", punctuation=True, itn=True
    )
    talk, code = await say(url, [wishes, *cut(UTTERANCE + quiet(0.2) + loud(1.0)), STOP])
    assert talk.ready["type"] == "ready"
    assert talk.ready["sample_rate"] == 48_000
    assert talk.ready["version"] == "1.0"
    partial = next(message for message in talk.told if message["type"] == "partial")
    assert TEXT.startswith(partial["committed"])
    first, last = (message for message in talk.told if message["type"] == "final")
    assert first["text"].startswith(TEXT)
    assert first["is_final"]
    assert first["speech_final"]
    assert first["endpoint_reason"] == "vad"
    assert [word["word"] for word in first["words"]] == first["text"].split()
    assert 0.0 < first["words"][0]["start"] < first["words"][-1]["end"] < first["timestamp"] < 4.0
    assert last["text"].startswith("turn on")
    assert last["endpoint_reason"] == "stop"
    assert last["timestamp"] == pytest.approx(5.0)
    assert last["words"][0]["start"] > 3.5
    assert code == 1000


async def test_a_client_of_phostt_that_configures_nothing(url: str) -> None:
    talk, code = await say(url, [*cut(bytes(48_000) + loud(1.3, 48_000), 9_600), STOP])
    assert talk.texts == [talk.told[-1]["text"]]
    assert talk.texts[0].startswith(TEXT)
    assert talk.told[-1]["timestamp"] == pytest.approx(1.8)
    assert code == 1000


@pytest.mark.parametrize("size", [1_001, 4_801, 100_000])
async def test_frames_may_end_anywhere(url: str, size: int) -> None:
    talk, code = await say(url, [AT_16_KHZ, *cut(UTTERANCE, size), STOP])
    assert talk.texts[0].startswith(TEXT)
    assert talk.texts[1:] == [""]
    assert code == 1000


async def test_a_microphone_that_is_left_on_is_heard_again_and_again(url: str) -> None:
    async with client(url) as talk:
        await talk.say(AT_16_KHZ)
        for _ in range(3):
            await talk.say(*cut(quiet(4.0) + UTTERANCE, 16_000))
            assert (await talk.next("final"))["text"].startswith(TEXT)
        await talk.say(STOP)
        assert await talk.end() == 1000
        assert talk.texts[3:] == [""]


async def test_stop_without_audio_is_answered_by_nothing_heard(url: str) -> None:
    talk, code = await say(url, [STOP])
    assert [(message["type"], message["text"]) for message in talk.told] == [("final", "")]
    assert code == 1000


async def test_mistakes_are_told_and_the_connection_goes_on(url: str) -> None:
    mistakes = ["{", '{"type": "hello"}', configure(sample_rate=1), configure(language="tlh")]
    audio = [AT_16_KHZ, *cut(SPEECH)]
    talk, code = await say(url, [*mistakes, *audio, AT_16_KHZ, STOP])
    assert talk.codes == [
        "invalid_request",
        "invalid_request",
        "invalid_sample_rate",
        "unsupported_language",
        "configure_too_late",
    ]
    assert talk.texts[-1].startswith(TEXT)
    assert code == 1000


async def test_the_old_path_works_and_is_noticed(running: Server, url: str) -> None:
    async with client(url, "/ws") as talk:
        await talk.say(STOP)
        assert await talk.end() == 1000
    assert await asyncio.to_thread(running.wait_for, "/ws is deprecated")


@pytest.mark.parametrize("origin", ["http://localhost:8123", "http://127.0.0.1", "http://[::1]:1"])
async def test_pages_of_this_machine_may_connect(url: str, origin: str) -> None:
    async with client(url, origin=origin) as talk:
        assert talk.ready["model"] == "fake"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://localhost.evil.example", "null", "file://"]
)
async def test_pages_of_other_sites_may_not(url: str, origin: str) -> None:
    assert await refusal(url, origin=origin) == (403, "origin_denied")


async def test_leaving_in_the_middle_frees_the_place(url: str) -> None:
    async with httpx.AsyncClient(base_url=url) as http:
        size = (await http.get("/ready")).json()["pool_size"]
        async with client(url) as talk:
            await talk.say(AT_16_KHZ, *cut(SPEECH))
            await talk.next("partial")
            assert (await http.get("/ready")).json()["pool_available"] == size - 1
            talk.socket.transport.abort()
        while (await http.get("/ready")).json()["pool_available"] < size:
            pass


async def test_at_the_end_everyone_gets_the_last_words() -> None:
    with server("--model", "fake") as ending:
        url = ending.http()
        async with client(url) as speaking, client(url) as silent, client(url) as idle:
            await speaking.say(AT_16_KHZ, *cut(SPEECH))
            await silent.say(AT_16_KHZ, *cut(quiet(3.0)))
            await speaking.next("partial")
            stopping = asyncio.create_task(asyncio.to_thread(ending.stop))
            for talk in (speaking, silent, idle):
                assert await talk.end() == 1001
                assert talk.codes == ["shutting_down"]
                assert talk.told[-2]["type"] == "final"
            assert speaking.texts[0].startswith("turn on")
            assert silent.texts == idle.texts == [""]
        assert await stopping == 0
        assert "Traceback" not in ending.log
