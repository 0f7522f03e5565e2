"""The door as the stock client sees it, on the scripted model."""

import asyncio
import logging
import threading

import pytest
from wyoming.asr import Transcribe, Transcript, TranscriptChunk
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event, async_read_event
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from wyoming.vad import VoiceStarted, VoiceStopped

from tests.support.wyoming_door import (
    START,
    STOP,
    WORD_S,
    Door,
    chunks,
    load_fake,
    loud,
    open_door,
    quiet,
    receive,
    send,
    utterance,
)
from wyoming_stt.front.wyoming import WyomingOptions
from wyoming_stt.models.base import Recognizer

SENTENCE = "turn on the kitchen light please"
SPEECH = loud(6 * WORD_S)


def text_of(answers: list[Event]) -> str:
    (transcript,) = (Transcript.from_event(e) for e in answers if Transcript.is_type(e.type))
    return transcript.text


def pieces_of(answers: list[Event]) -> list[str]:
    return [TranscriptChunk.from_event(e).text for e in answers if TranscriptChunk.is_type(e.type)]


async def described(door: Door) -> Info:
    async with door.client() as client:
        await send(client, Describe().event())
        event = await client.read_event()
    assert event is not None
    return Info.from_event(event)


async def test_an_utterance() -> None:
    wishes = Transcribe(language="en-US", context={"turn": 3})
    async with open_door() as door:
        answers = await door.say(*utterance(SPEECH, wishes))
    heard = [e for e in answers if e.type not in {"voice-started", "voice-stopped"}]
    assert heard[0] == Event("transcript-start", {"language": "en", "context": {"turn": 3}})
    assert "".join(pieces_of(answers)) == SENTENCE
    assert heard[-2:] == [
        Event("transcript", {"text": SENTENCE, "language": "en", "context": {"turn": 3}}),
        Event("transcript-stop", {}),
    ]


async def test_words_come_while_the_speaker_still_talks() -> None:
    async with open_door() as door, door.client() as client:
        await send(client, Transcribe().event(), START, *chunks(SPEECH))
        pieces: list[str] = []
        while not pieces:
            event = await client.read_event()
            assert event is not None
            pieces = pieces_of([event])
        await send(client, STOP)
        answers = await receive(client)
    assert SENTENCE.startswith(pieces[0])
    assert "".join(pieces + pieces_of(answers)) == text_of(answers) == SENTENCE


async def test_speech_and_its_end_are_reported_in_ms() -> None:
    async with open_door() as door:
        answers = await door.say(*utterance(quiet(1) + loud(1) + quiet(2)))
    (started,) = (VoiceStarted.from_event(e) for e in answers if VoiceStarted.is_type(e.type))
    (stopped,) = (VoiceStopped.from_event(e) for e in answers if VoiceStopped.is_type(e.type))
    assert (started.timestamp, stopped.timestamp) == (1000, 2000)


async def test_silence_is_an_empty_transcript() -> None:
    async with open_door() as door:
        assert text_of(await door.say(*utterance(quiet(1)))) == ""
        assert text_of(await door.say(*utterance(b""))) == ""


async def test_utterances_in_a_row_on_one_connection() -> None:
    async with open_door() as door, door.client() as client:
        for words in (6, 2, 4):
            await send(client, *utterance(loud(words * WORD_S)))
            assert text_of(await receive(client)).split() == SENTENCE.split()[:words]


async def test_utterances_sent_before_the_last_is_answered() -> None:
    async with open_door() as door, door.client() as client:
        await send(client, *utterance(SPEECH), *utterance(loud(WORD_S)))
        assert [text_of(await receive(client)) for _ in range(2)] == [SENTENCE, "turn"]


async def test_clients_at_once_do_not_hear_each_other() -> None:
    async with open_door() as door:
        texts = await asyncio.gather(*(door.text_of(loud(n * WORD_S)) for n in range(1, 7)))
    assert [len(text.split()) for text in texts] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("size", [77, 320, 4096, len(SPEECH)])
async def test_size_of_chunks_does_not_matter(size: int) -> None:
    async with open_door() as door:
        assert text_of(await door.say(START, *chunks(SPEECH, size), STOP)) == SENTENCE


@pytest.mark.parametrize(("rate", "width", "channels"), [(8_000, 1, 1), (48_000, 4, 2)])
async def test_formats(rate: int, width: int, channels: int) -> None:
    layout = {"rate": rate, "width": width, "channels": channels}
    # Full scale up and down in turns of 1 ms: loud in whatever is made of it.
    low, high = (b"\x00", b"\xff") if width == 1 else (b"\x00\x00\x00\xa0", b"\x00\x00\x00\x60")
    wave = (low * (rate // 1000 * channels) + high * (rate // 1000 * channels)) * 500
    async with open_door() as door:
        answers = await door.say(
            AudioStart(**layout).event(),
            *(
                AudioChunk(**layout, audio=wave[at : at + 4096]).event()
                for at in range(0, len(wave), 4096)
            ),
            AudioStop().event(),
        )
    assert text_of(answers).startswith("turn on the")


async def test_ping() -> None:
    async with open_door() as door, door.client() as client:
        await send(client, Event("of-a-later-protocol", {"a": 1}, b"payload"), Ping("äöü").event())
        answer = await client.read_event()
    assert answer is not None
    assert Pong.from_event(answer) == Pong("äöü")


async def test_describe_with_the_shell() -> None:
    async with open_door() as door:
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
        writer.write(b'{ "type": "describe" }\n')
        writer.write_eof()
        answer = await async_read_event(reader)
        assert answer is not None
        assert Info.from_event(answer).asr[0].models[0].name == "fake"
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()


async def test_client_that_sends_all_and_then_only_listens() -> None:
    async with open_door() as door, door.client() as client:
        await send(client, *utterance(SPEECH))
        assert client._writer is not None
        client._writer.write_eof()
        assert text_of(await receive(client)) == SENTENCE


class SlowLoad:
    """A model that is not there before it is told to be."""

    def __init__(self) -> None:
        self.allowed = threading.Event()

    def __call__(self) -> Recognizer:
        self.allowed.wait()
        return load_fake()


async def test_while_the_model_loads() -> None:
    load = SlowLoad()
    async with open_door(load=load, ready=False) as door, door.client() as client:
        try:
            assert door.engine.info is None
            assert (await described(door)).asr[0].models[0].languages == ["en"]
            await send(client, *utterance(SPEECH), Describe().event(), Ping("still there").event())
            assert [(await client.read_event()).type for _ in range(2)] == ["info", "pong"]
        finally:
            load.allowed.set()
        assert text_of(await receive(client)) == SENTENCE


@pytest.mark.parametrize(
    "options",
    [
        WyomingOptions("tcp://127.0.0.1:0", endpointing=True),
        WyomingOptions("tcp://127.0.0.1:0", requires_external_vad=False),
    ],
)
async def test_transcript_goes_out_before_audio_stop(options: WyomingOptions) -> None:
    async with open_door(options) as door, door.client() as client:
        await send(client, Transcribe(vad_sensitivity="default").event(), START)
        await send(client, *chunks(SPEECH + quiet(1)))
        assert text_of(await receive(client)) == SENTENCE
        # The rest is taken and not listened to, up to audio-stop.
        await send(client, *chunks(loud(2)), STOP, *utterance(loud(WORD_S)))
        assert text_of(await receive(client)) == "turn"


async def test_log_has_one_line_an_utterance_and_none_of_its_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "wyoming_stt")
    async with open_door() as door:
        caplog.clear()
        await described(door)
        await door.text_of(SPEECH)
        await door.text_of(SPEECH)
    lines = [record.getMessage() for record in caplog.records if "observer" in record.name]
    assert len(lines) == 2
    assert all("wyoming: 1.92 s of audio" in line and "RTF" in line for line in lines)
    assert "kitchen" not in caplog.text
