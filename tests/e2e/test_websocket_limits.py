"""What a WebSocket may not do, and what its client is told when the server cannot go on."""

import asyncio
from pathlib import Path
from typing import Any

from tests.support.failing import FailingRecognizer, StuckRecognizer
from tests.support.http_door import ANYWHERE, Door, open_door
from tests.support.logs import Logged
from tests.support.sound import loud, quiet
from tests.support.uploads import until
from tests.support.websocket import AT_16_KHZ, STOP, Talk, client, cut, refusal, say
from wyoming_stt.engine import EngineOptions, UtteranceOptions
from wyoming_stt.errors import ModelFileError
from wyoming_stt.front.http.options import HttpOptions
from wyoming_stt.models.families.fake import FakeRecognizer

SPEECH = quiet(0.5) + loud(1.3)
UTTERANCE = SPEECH + quiet(2.0)
SOON = 0.05
TOKEN = "open sesame"  # noqa: S105


def options(**limits: Any) -> HttpOptions:
    return HttpOptions(uri=ANYWHERE, **limits)


def places_taken(door: Door) -> int:
    return door.engine.options.max_utterances - door.engine.free_places


async def told_and_closed(talk: Talk) -> tuple[list[str], list[str], int | None]:
    code = await talk.end()
    return [text[:7] for text in talk.texts], talk.codes, code


async def test_an_idle_client_gets_its_words_and_is_sent_away() -> None:
    async with open_door(options(idle_timeout_s=0.3)) as door, client(door.url) as talk:
        assert talk.ready["idle_timeout_secs"] == 0.3
        await talk.say(AT_16_KHZ, *cut(SPEECH))
        assert await told_and_closed(talk) == (["turn on"], ["idle_timeout"], 1008)
        assert places_taken(door) == 0


async def test_a_session_does_not_last_for_ever() -> None:
    async with open_door(options(max_session_s=0.3)) as door, client(door.url) as talk:
        await talk.say(AT_16_KHZ)
        speaking = asyncio.create_task(talk.say(*cut(quiet(1.0) * 600)))
        expected = ([""], ["max_session_duration_exceeded"], 1008)
        assert await told_and_closed(talk) == expected
        await speaking


async def test_a_frame_that_is_too_large_is_named() -> None:
    async with open_door(options(max_frame_bytes=10_000)) as door:
        async with client(door.url) as talk:
            await talk.say(AT_16_KHZ, *cut(SPEECH), bytes(10_001))
            assert await told_and_closed(talk) == (["turn on"], ["payload_too_large"], 1009)
            assert "10000 bytes" in talk.told[-1]["message"]
        _, code = await say(door.url, [bytes(10_000), STOP])
        assert code == 1000
        async with client(door.url) as talk:
            await talk.say(bytes(20_001))
            assert await talk.end() == 1009


async def test_whoever_makes_no_sense_at_all_is_sent_away() -> None:
    async with open_door(options()) as door:
        for nonsense in (["?"] * 101, [b""] * 1_001):
            talk, code = await say(door.url, nonsense)
            assert (talk.codes[-1], code) == ("policy_violation", 1008)
            assert talk.texts == [""]


async def test_without_a_place_the_client_is_told_when_to_try_again() -> None:
    limits = EngineOptions(workers=1, max_utterances=1, max_waiting=1)
    async with open_door(options(place_timeout_s=SOON), limits) as door, client(door.url) as talk:
        async with door.engine.open(UtteranceOptions()):
            await talk.say(AT_16_KHZ, *cut(SPEECH))
            error = await talk.next("error")
            assert error["code"] == "saturated"
            assert error["retry_after_ms"] == 2_000
        await talk.say(*cut(quiet(2.0) + UTTERANCE))
        assert (await talk.next("final"))["text"].startswith("turn on")
        await talk.say(STOP)
        assert await told_and_closed(talk) == (["turn on", ""], ["saturated"], 1000)


async def test_after_a_failure_of_the_model_a_fresh_stream_goes_on() -> None:
    recognizer = FailingRecognizer()
    async with open_door(options(), load=lambda: recognizer) as door:
        async with client(door.url) as talk, client(door.url) as other:
            await other.say(AT_16_KHZ, *cut(SPEECH))
            await other.next("partial")
            recognizer.is_broken = True
            await talk.say(AT_16_KHZ, *cut(quiet(0.5) + loud(0.3)))
            assert (await talk.next("error"))["code"] == "inference_error"
            recognizer.is_broken = False
            await talk.say(*cut(UTTERANCE))
            assert (await talk.next("final"))["text"].startswith("turn on")
            for each in (talk, other):
                await each.say(STOP)
                assert await each.end() == 1000
            assert other.codes == []
            assert other.texts[0].startswith("turn on")
        assert places_taken(door) == 0


async def test_a_failure_at_the_end_is_told_before_the_last_final() -> None:
    recognizer = FailingRecognizer()
    limits = EngineOptions(workers=1, gather_s=5.0)
    async with open_door(options(), limits, lambda: recognizer) as door:
        recognizer.is_broken = True
        talk, code = await say(door.url, [AT_16_KHZ, *cut(SPEECH), STOP])
        assert [message["type"] for message in talk.told] == ["error", "final"]
        assert (talk.codes, talk.texts, code) == (["inference_error"], [""], 1000)


async def test_a_model_that_cannot_be_used_is_an_error_of_the_server() -> None:
    def fail() -> FakeRecognizer:
        raise ModelFileError(Path("encoder.onnx"), "an ONNX file", "something else")

    async with open_door(options(), load=fail, ready=False) as door:
        talk, code = await say(door.url, [AT_16_KHZ, *cut(SPEECH), STOP])
        assert (talk.codes, talk.texts, code) == (["model_error"], [""], 1000)


async def test_an_engine_that_is_gone_ends_the_connection() -> None:
    async with open_door(options()) as door, client(door.url) as talk:
        await door.engine.close()
        await talk.say(AT_16_KHZ, *cut(SPEECH))
        assert await talk.end() == 1001
        assert talk.codes == ["shutting_down"]


async def test_a_token_opens_by_header_or_by_query() -> None:
    async with open_door(options(api_token=TOKEN)) as door:
        for settings in (
            {"additional_headers": {"Authorization": f"Bearer {TOKEN}"}},
            {"path": "/v1/ws?access_token=open%20sesame"},
        ):
            async with client(door.url, **settings) as talk:
                assert talk.ready["type"] == "ready"
        with Logged("uvicorn.error") as log:
            assert await refusal(door.url) == (401, "unauthorized")
            assert await refusal(door.url, "/v1/ws?access_token=open") == (401, "unauthorized")
            await asyncio.sleep(0.01)
        assert not [message for level, message in log.lines if level == "ERROR"]


async def test_nobody_is_let_in_while_the_server_stops() -> None:
    recognizer = StuckRecognizer()
    async with open_door(options(drain_s=60), load=lambda: recognizer) as door:
        recognizer.is_stuck = True
        async with client(door.url) as talk:
            await talk.say(AT_16_KHZ, *cut(SPEECH))
            await recognizer.stuck.has_started()
            stopping = asyncio.create_task(door.server.stop())
            await asyncio.sleep(0)
            assert await refusal(door.url) == (503, "shutting_down")
            recognizer.stuck.let_go.set()
            assert await told_and_closed(talk) == (["turn on"], ["shutting_down"], 1001)
            await stopping


async def test_a_client_that_sends_faster_than_we_listen_has_to_wait() -> None:
    recognizer = StuckRecognizer()
    limits = EngineOptions(workers=1, inference_timeout_s=60)
    async with open_door(options(), limits, lambda: recognizer) as door:
        recognizer.is_stuck = True
        sent = 0

        async def flood(talk: Talk) -> None:
            nonlocal sent
            for frame in cut(SPEECH + quiet(900.0), 64_000):
                await talk.socket.send(frame)
                sent += len(frame)
            await talk.socket.send(STOP)

        async with client(door.url) as talk:
            await talk.socket.send(AT_16_KHZ)
            flooding = asyncio.create_task(flood(talk))
            await recognizer.stuck.has_started()
            before = -1
            while sent > before:  # until nothing is taken any more
                before = sent
                await asyncio.sleep(0.2)
            assert sent < 20_000_000
            recognizer.stuck.let_go.set()
            await flooding
            assert await talk.end() == 1000
            assert talk.texts[0].startswith("turn on")


async def test_the_silent_hold_no_place() -> None:
    limits = EngineOptions(workers=2, max_utterances=4, max_waiting=1)
    async with open_door(options(place_timeout_s=SOON), limits) as door:

        async def be_silent() -> tuple[list[str], int | None]:
            talk, code = await say(door.url, [AT_16_KHZ, *cut(quiet(6.0)), STOP])
            return talk.texts + talk.codes, code

        async def speak() -> tuple[list[str], int | None]:
            talk, code = await say(door.url, [AT_16_KHZ, *cut(UTTERANCE + UTTERANCE), STOP])
            return [text[:7] for text in talk.texts] + talk.codes, code

        async with asyncio.TaskGroup() as clients:
            silent = [clients.create_task(be_silent()) for _ in range(46)]
            speakers = [clients.create_task(speak()) for _ in range(4)]
        assert {str(task.result()) for task in silent} == {str(([""], 1000))}
        assert {str(task.result()) for task in speakers} == {
            str((["turn on", "turn on", ""], 1000))
        }
        assert door.engine.free_places == 4


async def test_one_that_leaves_while_it_waits_for_a_place() -> None:
    limits = EngineOptions(workers=1, max_utterances=1, max_waiting=1)
    async with open_door(options(), limits) as door, door.engine.open(UtteranceOptions()):
        for leave in ("close", "abort"):
            async with client(door.url) as talk:
                await talk.say(AT_16_KHZ, *cut(SPEECH + loud(20.0)))
                await until(lambda: door.engine.queue_depth == 1)
                if leave == "abort":
                    talk.socket.transport.abort()
            await until(lambda: door.engine.queue_depth == 0)


async def test_what_was_said_while_it_waited_is_heard() -> None:
    limits = EngineOptions(workers=1, max_utterances=1, max_waiting=1)
    async with open_door(options(), limits) as door, client(door.url) as talk:
        async with door.engine.open(UtteranceOptions()):
            await talk.say(AT_16_KHZ, *cut(SPEECH))
            await until(lambda: door.engine.queue_depth == 1)
            await talk.say(*cut(quiet(2.0) + UTTERANCE), STOP)
            await asyncio.sleep(SOON)
        code = await talk.end()
    assert [text[:7] for text in talk.texts] == ["turn on", "turn on", ""]
    assert (talk.codes, code) == ([], 1000)


async def test_at_the_end_one_that_waits_is_told() -> None:
    limits = EngineOptions(workers=1, max_utterances=1, max_waiting=1)
    async with (
        open_door(options(drain_s=1.0), limits) as door,
        client(door.url) as talk,
        door.engine.open(UtteranceOptions()),
    ):
        await talk.say(AT_16_KHZ, *cut(SPEECH))
        await until(lambda: door.engine.queue_depth == 1)
        await door.server.stop()
        assert await told_and_closed(talk) == ([], ["shutting_down"], 1001)
