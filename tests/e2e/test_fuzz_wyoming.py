"""Tens of thousands of broken clients at a running server, and one good one beside them."""

import asyncio
import contextlib
import itertools
import logging
import random
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

import psutil
import pytest
from wyoming.asr import Transcript
from wyoming.client import AsyncTcpClient
from wyoming.event import async_read_event
from wyoming.info import Describe

from tests.support.malformed import LIMITS, damaged, malformed
from tests.support.program import Server
from tests.support.wyoming_door import WORD_S, converse, loud, send, utterance

REFUSED = 20_000
"""Sequences that must be wrong, and be refused; a fifth as many come on top that may be either,
or whose client leaves without waiting."""
CLIENTS = 6
SEED = 20_261_120
MAX_GROWTH_BYTES = 20_000_000
HANG_S = 20.0

PATIENT, DAMAGED, RUDE, GOOD = "patient", "damaged", "rude", "good"

logger = logging.getLogger(__name__)


async def hear_out(port: int, stream: bytes) -> list[str]:
    """Send a stream; return the types of all answers, up to the end of the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(stream)
    writer.write_eof()
    answers = []
    while (event := await async_read_event(reader)) is not None:
        answers.append(event.type)
    writer.close()
    await writer.wait_closed()
    return answers


async def run_away(port: int, stream: bytes) -> None:
    """Send a stream, and reset the connection."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(stream)
    writer.transport.abort()


async def misbehave_once(port: int, rng: random.Random) -> str:
    manner = rng.choices([PATIENT, DAMAGED, RUDE], [10, 1, 1])[0]
    stream = damaged(rng) if manner == DAMAGED else malformed(rng)
    try:
        async with asyncio.timeout(HANG_S):
            if manner == RUDE:
                await run_away(port, stream)
                return manner
            answers = await hear_out(port, stream)
        assert answers.count("error") == 1 or (manner == DAMAGED and "error" not in answers)
        assert answers[-1:] == ["error"] or manner == DAMAGED
    except (AssertionError, OSError) as error:
        error.add_note(f"{manner}: {stream!r}")
        raise
    return manner


async def misbehave(port: int, seeds: Iterator[int], played: Counter[str]) -> None:
    while played[PATIENT] < REFUSED:
        seed = next(seeds)
        played[await misbehave_once(port, random.Random(seed))] += 1


async def behave(port: int) -> None:
    """Ask and speak; it must be as if nobody else were there."""
    async with asyncio.timeout(HANG_S), AsyncTcpClient("127.0.0.1", port) as client:
        await send(client, Describe().event())
        info = await client.read_event()
        assert info is not None
        assert info.type == "info"
        answers = await converse(client, *utterance(loud(3 * WORD_S)))
        texts = [Transcript.from_event(e).text for e in answers if Transcript.is_type(e.type)]
        assert texts == ["turn on the"]


async def behave_always(port: int, played: Counter[str]) -> None:
    while True:
        await behave(port)
        played[GOOD] += 1


@contextlib.contextmanager
def patient_server(*arguments: str) -> Iterator[Server]:
    """Run a server for as long as it takes."""
    running = Server(*arguments)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.communicate()


async def read_log(running: Server) -> None:
    """Keep the log's pipe empty."""
    assert running.process.stderr is not None
    running.log += await asyncio.to_thread(running.process.stderr.read)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_broken_clients_harm_neither_the_server_nor_the_client_beside_them() -> None:
    limits = [f"--set=wyoming.{name}={value}" for name, value in LIMITS.items()]
    with patient_server("--model", "fake", "--set", "vad.kind=energy", *limits) as running:
        port = urlsplit(running.listening()).port
        assert port is not None
        running.wait_for("Ready")
        log = asyncio.create_task(read_log(running))
        process = psutil.Process(running.process.pid)
        await behave(port)
        before = process.memory_info().rss
        seeds, played = itertools.count(SEED), Counter[str]()
        beside = asyncio.create_task(behave_always(port, played))
        async with asyncio.TaskGroup() as clients:
            for _ in range(CLIENTS):
                clients.create_task(misbehave(port, seeds, played))
        growth = process.memory_info().rss - before
        assert not beside.done(), beside.exception()
        beside.cancel()
        assert running.process.poll() is None
        running.process.terminate()
        await log
        assert await asyncio.to_thread(running.process.wait, HANG_S) == 0
    logger.info("%s; %.1f MB more", dict(played), growth / 1e6)
    assert played[GOOD] > REFUSED // 1000
    assert growth < MAX_GROWTH_BYTES
    assert "Traceback" not in running.log
    assert "never retrieved" not in running.log
    assert not [line for line in running.log.splitlines() if " ERROR " in line]
