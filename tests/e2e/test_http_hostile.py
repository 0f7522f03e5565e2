"""Recordings made to harm: each is answered as documented, and nothing of it stays."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.support.http_door import ANYWHERE, Door, connected, open_door, rest_of
from tests.support.logs import Logged
from tests.support.media import encode
from tests.support.uploads import nothing_left, post, until, wav
from wyoming_stt.engine import EngineOptions
from wyoming_stt.front.http.options import HttpOptions

KINDS = [
    ("wav", "pcm_s16le", {}),
    ("flac", "flac", {}),
    ("mp3", "mp3", {}),
    ("ogg", "libopus", {}),
    ("webm", "libopus", {}),
    ("adts", "aac", {}),
    ("ipod", "aac", {}),
    ("mp4", "aac", {"movflags": "frag_keyframe+empty_moov"}),
]
MUTANTS = 75
"""Of each kind; 600 in all."""
AT_ONCE = 8
EXPECTED = {200, 413, 422}
"""Heard after all, longer than a day by its own account, or no audio."""


def mutants(whole: bytes, seed: int) -> Iterator[bytes]:
    """Files that are nearly right: bytes and stretches changed, cut out, doubled, or cut off."""
    chance = random.Random(seed)
    for number in range(MUTANTS):
        file = bytearray(whole)
        for _ in range(chance.randint(1, 8)):
            # Heads are where the numbers are that a decoder believes.
            at = chance.randrange(min(len(file), 512) if chance.random() < 0.7 else len(file))
            length = chance.choice((1, 2, 4, 8, 64, 1_024))
            match chance.randrange(6):
                case 0:
                    file[at : at + length] = chance.randbytes(length)
                case 1:
                    file[at : at + length] = b"\xff" * length
                case 2:
                    file[at : at + length] = bytes(length)
                case 3:
                    del file[at : at + length]
                case 4:
                    file[at:at] = file[at : at + length]
                case 5:
                    file[at] ^= 1 << chance.randrange(8)
        yield bytes(file[: chance.randrange(len(file))] if number % 5 == 0 else file)


@pytest.mark.slow
@pytest.mark.parametrize(("container", "codec", "settings"), KINDS)
async def test_mutated_files(container: str, codec: str, settings: dict[str, str]) -> None:
    whole = encode(container, codec, rate=48_000, duration_s=1, options=settings)
    limits = HttpOptions(uri=ANYWHERE, max_duration_s=600)
    async with open_door(limits, EngineOptions(workers=2)) as door, nothing_left(door):
        with Logged("wyoming_stt") as log:
            seen: Counter[int] = Counter()
            room = asyncio.Semaphore(AT_ONCE)
            async with door.client() as client, asyncio.TaskGroup() as tasks:

                async def send(body: bytes, path: str) -> None:
                    async with room:
                        answer = await client.post(path, content=body)
                    seen[answer.status_code] += 1
                    if answer.status_code != 200:
                        assert answer.json()["code"] in {"invalid_audio", "audio_too_long"}
                    elif path.endswith("stream"):
                        assert '"type":"final"' in answer.text or '"type": "error"' in answer.text

                for number, body in enumerate(mutants(whole, seed=len(whole))):
                    path = "/v1/transcribe/stream" if number % 3 == 0 else "/v1/transcribe"
                    tasks.create_task(send(body or b"x", path))
        assert seen.total() == MUTANTS
        assert set(seen) <= EXPECTED
        assert {200, 422} <= set(seen), "too harmless, or too broken, to prove anything"
        assert not [line for level, line in log.lines if level == "ERROR"]
        assert not door.metrics.last_errors


@pytest.mark.slow
async def test_mutated_forms() -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
    head += b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    whole = head + wav(0.5) + b"\r\n--b--\r\n"
    form = {"Content-Type": "multipart/form-data; boundary=b"}
    async with open_door() as door, nothing_left(door), door.client(headers=form) as client:
        for body in mutants(whole, seed=1):
            answer = await client.post("/v1/audio/transcriptions", content=body)
            assert answer.status_code in {200, 400, 404, 413, 415, 422}
        assert not door.metrics.last_errors


ODD = {
    "nothing": b"",
    "a byte": b"\0",
    "text": b"hello, computer " * 1_000,
    "a playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n",
    "a list of parts": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "a session description": b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n",
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(10_000),
    "an archive": b"PK\x03\x04" + bytes(10_000),
    "zeros": bytes(1_000_000),
    "a head alone": wav()[:44],
    "no samples": wav(0),
    "years by its own account": wav()[:40] + b"\xff\xff\xff\xff" + wav()[44:],
    "half a sample": wav()[:-1],
}


@pytest.mark.parametrize("name", ODD)
async def test_odd_bodies(name: str) -> None:
    async with open_door() as door, nothing_left(door), door.client() as client:
        for path in ("/v1/transcribe", "/v1/transcribe/stream"):
            answer = await client.post(path, content=ODD[name])
            assert answer.status_code in {200, 400, 422}
            assert "passwd" not in answer.text
        assert not door.metrics.last_errors


async def test_many_slow_bodies_leave_room_for_a_quick_one() -> None:
    """A place in the engine is taken when there is sound, not when there is a client."""
    impatient = HttpOptions(uri=ANYWHERE, body_timeout_s=2)
    one_place = EngineOptions(workers=1, max_utterances=1, max_waiting=1)
    async with open_door(impatient, one_place) as door, nothing_left(door):
        async with asyncio.TaskGroup() as tasks, door.client() as client:
            slow = [tasks.create_task(_drip(door)) for _ in range(20)]
            await asyncio.sleep(0.2)
            answer = await client.post("/v1/transcribe", content=wav())
            assert answer.status_code == 200
            assert not any(task.done() for task in slow)
        for task in slow:
            assert b"408 Request Timeout" in task.result()
            assert b'"code":"request_timeout"' in task.result()


async def test_a_body_that_says_its_length_and_ends_early() -> None:
    async with open_door() as door, nothing_left(door):
        async with connected(door.url) as (reader, writer):
            writer.write(post("/v1/transcribe", 60_000) + wav()[:30_000])
            writer.write_eof()
            assert await rest_of(reader) == b""
        await until(lambda: b'status="499"' in door.metrics.render())


async def test_more_than_was_announced_is_another_request() -> None:
    body = wav()
    async with open_door() as door, nothing_left(door), connected(door.url) as (reader, writer):
        writer.write(post("/v1/transcribe", len(body)) + body + b"rubbish" * 1_000)
        answer = await rest_of(reader)
        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert answer.count(b"HTTP/1.1") == 1


async def _drip(door: Door) -> bytes:
    async with connected(door.url) as (reader, writer):
        writer.write(post("/v1/transcribe", 60_000))
        answer = asyncio.create_task(rest_of(reader))
        for byte in wav()[:400]:
            if answer.done():
                break
            writer.write(bytes([byte]))
            await asyncio.sleep(0.02)
        return await answer
