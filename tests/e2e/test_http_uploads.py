import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from tests.support.engines import Stuck, eventually
from tests.support.http_door import connected, open_door
from tests.support.recognizers import ScriptedRecognizer, ScriptedStream
from tests.support.uploads import (
    ROUTES,
    WORDS,
    Held,
    events,
    hold,
    nothing_left,
    options,
    post,
    wav,
)
from wyoming_stt.decoding.hypothesis import EMPTY, Hypothesis
from wyoming_stt.engine import EngineOptions, UtteranceOptions
from wyoming_stt.errors import ModelFileError
from wyoming_stt.lifecycle import LifecycleOptions

# What arrives, and when.


async def test_the_first_event_leaves_before_the_file_is_there() -> None:
    body = wav(60)
    async with open_door() as door, nothing_left(door), connected(door.url) as (reader, writer):
        writer.write(post("/v1/transcribe/stream", len(body)) + body[: len(body) // 10])
        heard = events(reader)
        first = await anext(heard)
        assert (first["type"], first["text"], first["words"]) == ("partial", "turn", [])
        assert 0.32 <= first["timestamp"] < 1
        writer.write(body[len(body) // 10 :])
        *_, last = [event async for event in heard if event["type"] == "final"]
        assert last["words"][-1]["end"] > 59


async def test_a_form_is_decoded_while_it_arrives() -> None:
    body = wav(60)
    head = b'--b\r\nContent-Disposition: form-data; name="stream"\r\n\r\ntrue\r\n'
    head += b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    path, size = "/v1/audio/transcriptions", len(head) + len(body) + 9
    async with open_door() as door, nothing_left(door), connected(door.url) as (reader, writer):
        writer.write(post(path, size, Content_Type="multipart/form-data; boundary=b"))
        writer.write(head + body[:200_000])
        first = await anext(events(reader))
        assert first == {"type": "transcript.text.delta", "delta": "turn"}


async def test_signs_of_life(held: Held) -> None:
    async with open_door(options(heartbeat_s=0.02), load=lambda: held) as door:
        held.may_go_on.clear()
        async with nothing_left(door), connected(door.url) as (reader, writer):
            writer.write(post("/v1/transcribe/stream", len(wav())) + wav())
            await hold(held)
            await reader.readuntil(b": ping")
            await reader.readuntil(b": ping")
            held.may_go_on.set()
            assert [event["type"] async for event in events(reader)] == ["final"]


# What goes wrong in the server.


async def test_saturated(held: Held) -> None:
    engine = EngineOptions(workers=1, max_utterances=1)
    async with open_door(options(place_timeout_s=0.05), engine, lambda: held) as door:
        held.may_go_on.clear()
        async with connected(door.url) as (_, first), door.client() as client:
            first.write(post(ROUTES[0], len(wav())) + wav())
            await hold(held)
            answer = await client.post(ROUTES[0], content=wav())
            assert answer.status_code == 503
            assert answer.json()["code"] == "saturated"
            assert answer.json()["retry_after_ms"] == 2_000
            assert answer.headers["Retry-After"] == "2"
            streamed = await client.post(ROUTES[1], content=wav())
            assert '"type": "error"' in streamed.text
            assert '"code": "saturated"' in streamed.text
            held.may_go_on.set()


async def test_model_loading() -> None:
    loading = Stuck()
    patience = LifecycleOptions(load_timeout_s=0.1)
    async with open_door(load=loading, ready=False, lifecycle=patience) as door:
        async with door.client() as client:
            answer = await client.post(ROUTES[0], content=wav())
        assert (answer.status_code, answer.json()["code"]) == (503, "model_loading")
        assert answer.headers["Retry-After"] == "3"
        loading.let_go.set()


async def test_model_error() -> None:
    def fail() -> ScriptedRecognizer:
        raise ModelFileError("tokens.txt", "a line per token", "nothing")

    async with open_door(load=fail, ready=False) as door, door.client() as client:
        answer = await client.post(ROUTES[0], content=wav())
        assert (answer.status_code, answer.json()["code"]) == (503, "model_error")


@pytest.mark.parametrize(
    ("engine", "status", "code"),
    [
        (EngineOptions(workers=1), 500, "inference_error"),
        (EngineOptions(workers=1, inference_timeout_s=0.1), 504, "inference_timeout"),
    ],
)
async def test_a_model_that_fails_harms_one_client_only(
    engine: EngineOptions, status: int, code: str
) -> None:
    stuck = Stuck()

    def fail(stream: ScriptedStream) -> Hypothesis:
        if stream.number == 0:
            return EMPTY  # the warm-up
        if stream.number > 2:
            return EMPTY
        if status == 504:
            stuck()
        raise RuntimeError("boom")

    model = ScriptedRecognizer(push=fail)
    async with open_door(engine_options=engine, load=lambda: model) as door:
        async with nothing_left(door), door.client() as client:
            answer = await client.post(ROUTES[0], content=wav())
            assert (answer.status_code, answer.json()["code"]) == (status, code)
            streamed = await client.post(ROUTES[1], content=wav())
            assert f'"code": "{code}"' in streamed.text
            answer = await client.post(ROUTES[0], content=wav())
            assert answer.status_code == 200
        assert {error.code for error in door.metrics.last_errors} == {code}
        stuck.let_go.set()


# Limits.


@pytest.mark.parametrize(
    ("settings", "query", "body", "expected"),
    [
        ({}, "", b"", (400, "empty_body")),
        ({}, "", b"x", (422, "invalid_audio")),
        ({}, "", bytes(100_000), (422, "invalid_audio")),
        ({}, "?model=large", wav(), (404, "model_not_found")),
        ({}, "?language=tlh", wav(), (415, "unsupported_language")),
        ({}, "?hotwords_score=-1", wav(), (422, "invalid_request")),
        ({}, "?model=" + "x" * 101, wav(), (422, "invalid_request")),
        ({"max_hotwords": 1}, "?hotwords=a,b", wav(), (422, "invalid_request")),
        ({"max_duration_s": 1.0}, "", wav(), (413, "audio_too_long")),
        ({"max_body_bytes": 10_000}, "", wav(), (413, "payload_too_large")),
    ],
)
@pytest.mark.parametrize("path", ROUTES)
async def test_what_is_refused(
    path: str, settings: dict[str, float], query: str, body: bytes, expected: tuple[int, str]
) -> None:
    async with open_door(options(**settings)) as door, nothing_left(door), door.client() as client:
        answer = await client.post(path + query, content=body)
        if answer.status_code == 200:  # known only after the first event
            assert path.endswith("stream")
            assert f'"code": "{expected[1]}"' in answer.text
        else:
            assert (answer.status_code, answer.json()["code"]) == expected
        assert answer.headers["X-Request-Id"]


async def test_a_body_in_chunks_that_grows_too_large() -> None:
    async def large() -> AsyncIterator[bytes]:
        yield wav()
        for _ in range(100):
            yield bytes(10_000)

    small = options(max_body_bytes=200_000)
    async with open_door(small) as door, nothing_left(door), door.client() as client:
        answer = await client.post(ROUTES[0], content=large())
        assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


@pytest.mark.parametrize("path", ROUTES)
async def test_a_body_that_comes_too_slowly(path: str) -> None:
    impatient = options(body_timeout_s=0.05, min_body_rate=1_000_000)
    async with (
        open_door(impatient) as door,
        nothing_left(door),
        connected(door.url) as (reader, writer),
    ):
        writer.write(post(path, 60_000) + wav()[:1_000])
        assert b"request_timeout" in await reader.readuntil(b"}")


# The end of the server.


async def test_a_stream_gets_its_final_transcript_when_the_server_stops() -> None:
    body = wav(60)
    async with (
        open_door(options(drain_s=1)) as door,
        connected(door.url) as (reader, writer),
        connected(door.url) as (other_reader, other_writer),
    ):
        writer.write(post(ROUTES[1], len(body)) + body[:200_000])
        other_writer.write(post(ROUTES[0], len(body)) + body[:200_000])
        heard = events(reader)
        assert (await anext(heard))["type"] == "partial"
        stopping = asyncio.create_task(door.server.stop())
        *_, final, error = [event async for event in heard]
        assert final["type"] == "final"
        assert final["text"].startswith(WORDS)
        assert (error["type"], error["code"]) == ("error", "shutting_down")
        assert b"503 Service Unavailable" in await other_reader.readline()
        await stopping


async def test_so_does_one_whose_head_comes_while_the_server_stops() -> None:
    body = wav(60)
    async with open_door(options(drain_s=3)) as door, connected(door.url) as (reader, writer):
        writer.write(post(ROUTES[1], len(body)) + body[:1_000])
        await eventually(lambda: "media" in {thread.name for thread in threading.enumerate()})
        stopping = asyncio.create_task(door.server.stop())
        await asyncio.sleep(1.2)
        writer.write(body[1_000:200_000])
        *_, final, error = [event async for event in events(reader)]
        assert (final["type"], error["code"]) == ("final", "shutting_down")
        await stopping


async def test_a_file_that_is_there_is_finished_when_the_server_stops(held: Held) -> None:
    async with open_door(load=lambda: held) as door:
        held.may_go_on.clear()
        async with door.client() as client:
            answer = asyncio.create_task(client.post(ROUTES[0], content=wav()))
            await hold(held)
            stopping = asyncio.create_task(door.server.stop())
            await asyncio.sleep(0)
            held.may_go_on.set()
            assert (await answer).status_code == 200
        await stopping


async def test_those_that_wait_for_a_place_are_told_when_the_server_stops() -> None:
    body = wav(2)
    limits = EngineOptions(workers=1, max_utterances=1)
    async with (
        open_door(options(drain_s=1), limits) as door,
        connected(door.url) as (reader, writer),
        connected(door.url) as (other_reader, other_writer),
        door.engine.open(UtteranceOptions()),
    ):
        writer.write(post(ROUTES[1], len(body)) + body)
        other_writer.write(post(ROUTES[0], len(body)) + body)
        await eventually(lambda: door.engine.queue_depth == 2)
        stopping = asyncio.create_task(door.server.stop())
        *_, error = [event async for event in events(reader)]
        assert (error["type"], error["code"]) == ("error", "shutting_down")
        assert b"503 Service Unavailable" in await other_reader.readline()
        await stopping
