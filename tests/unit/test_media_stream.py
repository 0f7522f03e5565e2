import asyncio
import io
import random
import threading
import wave
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np
import pytest

from tests.support.media import encode
from wyoming_stt.audio.media import MediaReader
from wyoming_stt.audio.pcm import AudioFormat
from wyoming_stt.errors import AudioFormatError, JobsUnavailableError, LimitError
from wyoming_stt.media_stream import MAX_PIECES, PIECE_S, MediaOptions, MediaStream

T = TypeVar("T")

KINDS = [
    ("wav", "pcm_s16le", {}),
    ("flac", "flac", {}),
    ("mp3", "mp3", {}),
    ("ogg", "libopus", {}),
    ("webm", "libopus", {}),
    ("adts", "aac", {}),
    ("ipod", "aac", {}),  # M4A, its table at the end
    ("ipod", "aac", {"movflags": "faststart"}),
    ("mp4", "aac", {"movflags": "frag_keyframe+empty_moov"}),
]


@pytest.fixture(autouse=True)
def _no_thread_stays() -> object:
    yield
    for thread in threading.enumerate():
        if thread.name == "media":
            thread.join(10)
            assert not thread.is_alive()


async def body(content: bytes, size: int = 4_096) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]
        await asyncio.sleep(0)


async def read(content: bytes, options: MediaOptions | None = None, size: int = 4_096) -> bytes:
    async with MediaStream(body(content, size), options) as media:
        return b"".join([pcm async for pcm in media])


@pytest.mark.parametrize(("container", "codec", "options"), KINDS)
async def test_a_body_is_decoded_like_a_file(
    container: str, codec: str, options: dict[str, str]
) -> None:
    content = encode(container, codec, rate=48_000, duration_s=3, options=options)
    reader = MediaReader(io.BytesIO(content))
    expected = b"".join(reader)
    async with MediaStream(body(content, 1_000)) as media:
        assert media.format == reader.format == AudioFormat(48_000, 4, 1)
        pcm = b"".join([piece async for piece in media])
    # Where a file cannot be sought in, its header cannot promise how little of its end is sound.
    assert len(pcm) == pytest.approx(len(expected), abs=4 * 2_048)
    common = min(len(pcm), len(expected)) - 4 * 4_096
    assert pcm[:common] == expected[:common]


async def test_files_and_open_files_are_read_too(tmp_path: Path) -> None:
    content = encode("wav", "pcm_s16le")
    file = tmp_path / "tone.wav"
    file.write_bytes(content)
    expected = await read(content)
    for source in (file, io.BytesIO(content)):
        async with MediaStream(source) as media:
            assert media.duration_s == pytest.approx(1)
            assert b"".join([piece async for piece in media]) == expected


async def test_sound_comes_before_the_body_has_ended() -> None:
    content = encode("ogg", "libopus", rate=48_000, duration_s=10)
    go_on = asyncio.Event()

    async def halting() -> AsyncIterator[bytes]:
        yield content[: len(content) // 2]
        await go_on.wait()
        yield content[len(content) // 2 :]

    async with MediaStream(halting()) as media:
        first = await anext(media)
        assert len(first) >= media.format.seconds_to_bytes(PIECE_S)
        go_on.set()
        rest = b"".join([piece async for piece in media])
    assert len(first + rest) == pytest.approx(10 * 48_000 * 4, rel=0.01)


async def test_nothing_is_decoded_that_nobody_takes() -> None:
    taken = 0
    content = encode("wav", "pcm_s16le", duration_s=60)

    async def counted() -> AsyncIterator[bytes]:
        nonlocal taken
        async for chunk in body(content):
            taken += len(chunk)
            yield chunk

    async with MediaStream(counted()) as media:
        await anext(media)
        for _ in range(50):
            await asyncio.sleep(0.001)
        # What waits on both sides, and what FFmpeg reads ahead, of the 60 s.
        assert media._pieces.qsize() <= MAX_PIECES
        assert taken < (1 << 20) + 4 * 32_000 + (1 << 17)


async def test_leaving_ends_the_thread_though_the_body_hangs() -> None:
    content = encode("wav", "pcm_s16le", duration_s=2)
    begun = asyncio.Event()

    async def hanging() -> AsyncIterator[bytes]:
        yield content[: len(content) // 2]
        begun.set()
        await asyncio.Event().wait()

    async def listen() -> None:
        async with MediaStream(hanging()) as media:
            async for _ in media:
                pass

    listener = asyncio.create_task(listen())
    await begun.wait()
    listener.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listener


async def test_leaving_while_the_head_has_not_come() -> None:
    async def nothing() -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b""

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01), MediaStream(nothing()):
            pass


@pytest.mark.parametrize("broken_after", [0, 100, 20_000])
async def test_a_client_that_goes_away_is_what_is_told(broken_after: int) -> None:
    content = encode("flac", "flac", duration_s=10)

    async def broken() -> AsyncIterator[bytes]:
        yield content[:broken_after]
        raise ConnectionResetError("gone")

    async def listen() -> None:
        async with MediaStream(broken()) as media:
            async for _ in media:
                pass

    with pytest.raises(ConnectionResetError, match="gone"):
        await listen()


class Failing(io.BytesIO):
    """A file on a disk, or in a store, that goes away."""

    def __init__(self, content: bytes, error: Exception, after: int) -> None:
        super().__init__(content)
        self._error = error
        self._after = after

    def read(self, size: int | None = -1) -> bytes:
        return self._unless_failed(super().read)(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._unless_failed(super().seek)(offset, whence)

    def _unless_failed(self, call: Callable[..., T]) -> Callable[..., T]:
        self._after -= 1
        if self._after < 0:
            raise self._error
        return call


@pytest.mark.parametrize("error", [JobsUnavailableError("away"), OSError(5, "gone")])
@pytest.mark.parametrize(("container", "codec", "options"), KINDS)
async def test_a_file_that_cannot_be_read_is_not_said_to_be_damaged(
    error: Exception, container: str, codec: str, options: dict[str, str]
) -> None:
    content = encode(container, codec, rate=48_000, duration_s=3, options=options)
    for after in range(12):
        with pytest.raises(type(error), match=r"away|gone"):
            await drained(partial(Failing, content, error, after))


async def test_a_file_that_cannot_be_opened_is_what_is_told() -> None:
    def away() -> BinaryIO:
        raise JobsUnavailableError("away")

    with pytest.raises(JobsUnavailableError, match="away"):
        await drained(away)


async def drained(source: Callable[[], BinaryIO]) -> None:
    async with MediaStream(source) as media:
        async for _ in media:
            pass


@pytest.mark.parametrize("content", [b"", b"\0" * 50_000, b"<html>" * 3_000, b"#EXTM3U\n"])
async def test_what_is_no_sound_is_told(content: bytes) -> None:
    with pytest.raises(AudioFormatError, match="the input is no sound file"):
        await read(content)


async def test_more_than_8_channels_are_refused() -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((16, 2, 16_000, 0, "NONE", ""))
        sound.writeframes(bytes(32_000))
    with pytest.raises(AudioFormatError, match="channels 16"):
        await read(file.getvalue())


async def test_a_small_file_with_too_much_silence_is_refused() -> None:
    with pytest.raises(LimitError, match=r"media\.max_duration_s"):
        await read(encode("flac", "flac", duration_s=4), MediaOptions(max_duration_s=2))


async def test_a_file_too_large_to_spool_is_refused() -> None:
    content = encode("ipod", "aac", duration_s=20)
    with pytest.raises(LimitError, match=r"media\.max_spool_bytes"):
        await read(content, MediaOptions(max_spool_bytes=10_000))
    assert await read(content, MediaOptions(max_spool_bytes=len(content)))


@pytest.mark.slow
@pytest.mark.parametrize(("container", "codec", "options"), KINDS)
async def test_mutated_files_are_read_or_refused(
    container: str, codec: str, options: dict[str, str]
) -> None:
    """Sixty of each kind: cut short, bytes changed, parts repeated or left out."""
    content = encode(container, codec, rate=24_000, duration_s=1.5, options=options)
    chance = random.Random(container + codec)
    for number in range(60):
        mutant = bytearray(content)
        if number % 4 == 0:
            del mutant[chance.randrange(len(mutant)) :]
        elif number % 4 == 1:
            start = chance.randrange(len(mutant))
            del mutant[start : start + chance.randrange(1, 2_000)]
        elif number % 4 == 2:
            start = chance.randrange(len(mutant))
            mutant[start:start] = mutant[: chance.randrange(1, 2_000)]
        places = len(mutant) if number % 3 else min(200, len(mutant))
        for _ in range(chance.randrange(40) if places else 0):
            mutant[chance.randrange(places)] = chance.randrange(256)
        try:
            pcm = await read(bytes(mutant), MediaOptions(max_duration_s=600))
        except (AudioFormatError, LimitError):
            pass
        else:
            assert isinstance(pcm, bytes)


async def test_silence_is_exact_through_a_body() -> None:
    pcm = await read(encode("wav", "pcm_s16le"), size=1)
    samples = np.frombuffer(pcm, "<i4") / 2**31
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)
