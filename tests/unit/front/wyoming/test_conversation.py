from typing import Any

import pytest
from wyoming.asr import Transcribe, TranscriptStart
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.info import Describe, Info, SelectProgram
from wyoming.ping import Ping, Pong

from wyoming_stt.audio.endpoint import EndpointOptions
from wyoming_stt.audio.pcm import AudioFormat
from wyoming_stt.decoding.options import Hotword, SearchOptions
from wyoming_stt.engine import UtteranceOptions
from wyoming_stt.errors import (
    AudioFormatError,
    BadRequestError,
    LimitError,
    UnknownModelError,
    UnsupportedLanguageError,
)
from wyoming_stt.events import FinalTranscript
from wyoming_stt.front.served import ServedModel
from wyoming_stt.front.wyoming.conversation import (
    Action,
    Audio,
    Begin,
    Conversation,
    End,
    Reply,
    State,
)
from wyoming_stt.front.wyoming.options import WyomingOptions

MODEL = ServedModel("small", ("en", "pt-BR"))
START = AudioStart(rate=16_000, width=2, channels=1).event()
CHUNK = AudioChunk(rate=16_000, width=2, channels=1, audio=b"\1\2").event()
STOP = AudioStop().event()


def conversation(
    options: WyomingOptions | None = None,
    defaults: UtteranceOptions | None = None,
    model: ServedModel = MODEL,
) -> Conversation:
    return Conversation(options or WyomingOptions(), defaults or UtteranceOptions(), lambda: model)


def receive(talk: Conversation, *events: Event) -> list[Action | None]:
    return [talk.receive(event) for event in events]


def begin(talk: Conversation, *events: Event) -> Begin:
    action = receive(talk, *events)[-1]
    assert isinstance(action, Begin)
    return action


def test_one_utterance() -> None:
    talk = conversation()
    assert talk.state is State.IDLE
    assert receive(talk, Transcribe(language="en").event()) == [None]
    assert begin(talk, START).options.format == AudioFormat(16_000, 2, 1)
    assert talk.state is State.LISTENING
    assert receive(talk, CHUNK, STOP) == [Audio(b"\1\2"), End()]
    assert talk.state is State.FINISHING
    assert talk.owes_transcript
    talk.answered()
    assert talk.state is State.IDLE
    assert not talk.owes_transcript


def test_utterances_in_a_row_need_no_transcribe() -> None:
    talk = conversation()
    for _ in range(3):
        assert begin(talk, START)
        assert receive(talk, CHUNK, STOP) == [Audio(b"\1\2"), End()]
        talk.answered()


def test_rest_is_not_listened_to_when_the_transcript_has_gone_out_early() -> None:
    talk = conversation()
    receive(talk, START, CHUNK)
    talk.answered()
    assert talk.state is State.ANSWERED
    assert not talk.owes_transcript
    assert receive(talk, CHUNK, CHUNK, STOP) == [None, None, None]
    assert talk.state is State.IDLE


def test_next_utterance_may_follow_an_early_transcript_without_audio_stop() -> None:
    talk = conversation()
    receive(talk, START, CHUNK)
    talk.answered()
    assert begin(talk, Transcribe().event(), START)


@pytest.mark.parametrize("events", [(), (START,), (START, CHUNK), (START, CHUNK, STOP)])
def test_describe_and_ping_are_answered_in_every_state(events: tuple[Event, ...]) -> None:
    talk = conversation()
    receive(talk, *events)
    state = talk.state
    info, pong = receive(talk, Describe().event(), Ping("hello").event())
    assert isinstance(info, Reply)
    assert isinstance(info.message, Info)
    assert pong == Reply(Pong("hello"))
    assert talk.state is state


def test_describe_tells_what_is_served_at_that_moment() -> None:
    served = [ServedModel("promised", ("en",))]
    talk = Conversation(WyomingOptions(), UtteranceOptions(), lambda: served[-1])

    def names() -> list[str]:
        reply = talk.receive(Describe().event())
        assert isinstance(reply, Reply)
        assert isinstance(reply.message, Info)
        return [model.name for model in reply.message.asr[0].models]

    assert names() == ["promised"]
    served.append(ServedModel("loaded", ("en",)))
    assert names() == ["loaded"]


@pytest.mark.parametrize("kind", ["synthesize", "", "audio-start ", "transcript", "info"])
def test_unknown_types_are_ignored(kind: str) -> None:
    assert conversation().receive(Event(kind, {"rate": "x"}, b"payload")) is None


@pytest.mark.parametrize(
    ("before", "event"),
    [
        ((), CHUNK),
        ((), STOP),
        ((START,), START),
        ((START,), Transcribe().event()),
        ((START,), AudioChunk(rate=8_000, width=2, channels=1, audio=b"").event()),
        ((START,), Event("audio-chunk", {"width": 2, "channels": 1})),
        ((), Event("audio-start", {"rate": 16_000, "width": 2})),
        ((), SelectProgram("another").event()),
        ((), Event("select-program", {})),
        ((), Event("ping", {"text": 1})),
        ((), Event("transcribe", {"name": ["small"]})),
    ],
)
def test_what_the_protocol_does_not_allow(before: tuple[Event, ...], event: Event) -> None:
    talk = conversation()
    receive(talk, *before)
    with pytest.raises(BadRequestError, match=f"^{event.type}: ") as caught:
        talk.receive(event)
    assert caught.value.code == "bad-request"


@pytest.mark.parametrize(
    "layout",
    [(0, 2, 1), (7_999, 2, 1), (48_001, 2, 1), (16_000, 5, 1), (16_000, 2, 9), (16_000, 2, -1)],
)
def test_format_that_is_not_read(layout: tuple[int, int, int]) -> None:
    with pytest.raises(AudioFormatError):
        conversation().receive(AudioStart(*layout).event())


def test_select_program_by_its_name() -> None:
    assert conversation().receive(SelectProgram("wyoming-stt").event()) is None


@pytest.mark.parametrize("name", ["Small", "", "large"])
def test_model_that_is_not_served(name: str) -> None:
    with pytest.raises(UnknownModelError):
        conversation().receive(Transcribe(name=name).event())


@pytest.mark.parametrize(
    ("asked", "meant"),
    [("en", "en"), ("en-US", "en"), ("EN_gb", "en"), ("pt-br", "pt-BR"), (None, None)],
)
def test_language_of_the_model(asked: str | None, meant: str | None) -> None:
    action = begin(conversation(), Transcribe(name="small", language=asked).event(), START)
    started = next(iter(action.transcript.write([FinalTranscript(0, "", (), (), 1.0)])))
    assert started == TranscriptStart(language=meant)


def test_only_language_is_told_without_being_asked() -> None:
    action = begin(conversation(model=ServedModel("small", ("de",))), START)
    started = next(iter(action.transcript.write([FinalTranscript(0, "", (), (), 1.0)])))
    assert started == TranscriptStart(language="de")


@pytest.mark.parametrize("language", ["de", "pt", "", "english", "e"])
def test_language_the_model_does_not_speak(language: str) -> None:
    with pytest.raises(UnsupportedLanguageError):
        conversation().receive(Transcribe(language=language).event())


def test_names_and_terms_become_hotwords_beside_those_of_the_model() -> None:
    wishes = Transcribe(
        transcript_names=["kitchen light", " ", "Anna", "Anna"], transcript_terms=["dim", "Anna"]
    )
    defaults = UtteranceOptions(search=SearchOptions(hotwords=(Hotword("sofa", 3.0),)))
    options = WyomingOptions(names_score=2.5, terms_score=0.5)
    talk = conversation(options, defaults)
    assert begin(talk, wishes.event(), START).options.search.hotwords == (
        Hotword("sofa", 3.0),
        Hotword("kitchen light", 2.5),
        Hotword("Anna", 2.5),
        Hotword("dim", 0.5),
    )
    receive(talk, STOP)
    talk.answered()
    assert begin(talk, START).options.search.hotwords == (Hotword("sofa", 3.0),)


@pytest.mark.parametrize(
    ("wishes", "setting"),
    [
        ({"transcript_names": ["a"] * 4}, "wyoming.max_names"),
        ({"transcript_terms": ["a"] * 4}, "wyoming.max_names"),
        ({"transcript_terms": ["a", "b" * 11]}, "wyoming.max_name_chars"),
        ({"name": "b" * 11}, "wyoming.max_name_chars"),
        ({"language": "b" * 11}, "wyoming.max_name_chars"),
    ],
)
def test_more_than_a_limit_allows(wishes: dict[str, Any], setting: str) -> None:
    talk = conversation(WyomingOptions(max_names=3, max_name_chars=10))
    with pytest.raises(LimitError, match=setting):
        talk.receive(Event("transcribe", wishes))


AGGRESSIVE = EndpointOptions.from_sensitivity("aggressive")
DEFAULT = EndpointOptions.from_sensitivity("default")
OWN = EndpointOptions(rules=())


@pytest.mark.parametrize(
    ("options", "sensitivity", "own", "expected"),
    [
        (WyomingOptions(), "aggressive", None, None),
        (WyomingOptions(), None, OWN, None),
        (WyomingOptions(endpointing=True), "aggressive", OWN, AGGRESSIVE),
        (WyomingOptions(requires_external_vad=False), "aggressive", None, AGGRESSIVE),
        (WyomingOptions(endpointing=True), None, None, DEFAULT),
        (WyomingOptions(endpointing=True), None, OWN, OWN),
        (WyomingOptions(endpointing=True), "of-a-later-protocol", None, DEFAULT),
    ],
)
def test_end_of_speech_is_found_here_where_that_is_wanted(
    options: WyomingOptions,
    sensitivity: str | None,
    own: EndpointOptions | None,
    expected: EndpointOptions | None,
) -> None:
    talk = conversation(options, UtteranceOptions(endpoint=own))
    action = begin(talk, Transcribe(vad_sensitivity=sensitivity).event(), START)
    assert action.options.endpoint == expected
