import json
from typing import Any

import pytest

from wyoming_stt.audio.endpoint import EndpointOptions
from wyoming_stt.audio.pcm import AudioFormat
from wyoming_stt.decoding.options import Hotword, SearchOptions
from wyoming_stt.engine import UtteranceOptions
from wyoming_stt.front.http.options import HttpOptions
from wyoming_stt.front.http.websocket.conversation import (
    MAX_EMPTY_FRAMES,
    MAX_MISTAKES,
    RATES,
    Action,
    Audio,
    Close,
    Conversation,
    Leave,
    Tell,
)
from wyoming_stt.front.served import ServedModel

ENGLISH = ServedModel("small", ("en",))


def conversation(
    defaults: UtteranceOptions | None = None, model: ServedModel = ENGLISH, **options: Any
) -> Conversation:
    return Conversation(HttpOptions(**options), defaults or UtteranceOptions(), lambda: model)


def configure(**wishes: Any) -> str:
    return json.dumps({"type": "configure", **wishes})


def code_of(action: Action | None) -> str:
    assert isinstance(action, Tell | Leave), action
    assert action.error is not None
    return action.error.code


def test_ready_tells_what_may_be_sent() -> None:
    talk = conversation(idle_timeout_s=20, max_session_s=0)
    assert talk.ready().model_dump() == {
        "type": "ready",
        "model": "small",
        "sample_rate": 48_000,
        "version": "1.0",
        "supported_rates": RATES,
        "diarization": False,
        "max_session_secs": 0,
        "idle_timeout_secs": 20,
    }


def test_audio_needs_no_configure_and_is_taken_as_announced() -> None:
    talk = conversation()
    assert talk.receive(b"\1\2\3") == Audio(b"\1\2\3")
    assert talk.utterance.format == AudioFormat(48_000)
    assert talk.receive('{"type": "stop"}') == Leave(Close.NORMAL)


def test_stop_may_come_first() -> None:
    assert conversation().receive('{"type": "stop"}') == Leave(Close.NORMAL)


@pytest.mark.parametrize("rate", RATES)
def test_rates_that_are_announced_are_taken(rate: int) -> None:
    talk = conversation()
    assert talk.receive(configure(sample_rate=rate)) is None
    assert talk.utterance.format == AudioFormat(rate)


def test_wishes_are_laid_over_the_defaults() -> None:
    own = Hotword("Jarvis", 2.0)
    talk = conversation(UtteranceOptions(search=SearchOptions(hotwords=(own,))))
    wishes = configure(language="en-US", hotwords=["lamp", " lamp "], vad_sensitivity="aggressive")
    assert talk.receive(wishes) is None
    assert talk.utterance.search.hotwords == (own, Hotword("lamp"))
    assert talk.utterance.endpoint == EndpointOptions.from_sensitivity("aggressive")


def test_the_last_configure_counts() -> None:
    talk = conversation()
    talk.receive(configure(sample_rate=8_000, hotwords=["lamp"]))
    talk.receive(configure(sample_rate=16_000))
    assert talk.utterance.format == AudioFormat(16_000)
    assert talk.utterance.search.hotwords == ()


def test_what_other_servers_know_is_ignored() -> None:
    talk = conversation()
    assert talk.receive(configure(protocol_version="1.0", itn=True, diarization=True)) is None
    assert talk.utterance.format == AudioFormat(48_000)


@pytest.mark.parametrize("rate", [0, 11_025, -1, 16_000.5, "16000", None, [16_000], {}, True])
def test_wrong_rates_are_answered_with_the_right_ones(rate: Any) -> None:
    talk = conversation()
    answer = talk.receive(configure(sample_rate=rate))
    assert code_of(answer) == "invalid_sample_rate"
    assert isinstance(answer, Tell)
    assert "8000, 16000, 22050, 24000, 32000, 44100, 48000" in answer.error.message
    assert talk.utterance.format == AudioFormat(48_000)


def test_configure_comes_too_late_after_audio() -> None:
    talk = conversation()
    talk.receive(configure(sample_rate=16_000))
    talk.receive(b"\0\0")
    assert code_of(talk.receive(configure(sample_rate=8_000))) == "configure_too_late"
    assert talk.utterance.format == AudioFormat(16_000)
    assert talk.receive(b"\1\1") == Audio(b"\1\1")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "invalid_request"),
        ("stop", "invalid_request"),
        ("{", "invalid_request"),
        ("[" * 100_000, "invalid_request"),
        ("null", "invalid_request"),
        ("[]", "invalid_request"),
        ("{}", "invalid_request"),
        ('{"type": "Stop"}', "invalid_request"),
        ('{"type": ["stop"]}', "invalid_request"),
        ('{"type": "\\ud800"}', "invalid_request"),
        (configure(language=3), "invalid_request"),
        (configure(language="x" * 101), "invalid_request"),
        (configure(language="tlh"), "unsupported_language"),
        (configure(hotwords="lamp"), "invalid_request"),
        (configure(hotwords=["x" * 1_000]), "invalid_request"),
        (configure(hotwords=[str(n) for n in range(10_000)]), "invalid_request"),
        (configure(vad_sensitivity="much"), "invalid_request"),
        (configure(diarization="perhaps"), "invalid_request"),
    ],
)
def test_what_makes_no_sense_is_answered_and_the_connection_goes_on(text: str, code: str) -> None:
    talk = conversation()
    answer = talk.receive(text)
    assert isinstance(answer, Tell)
    assert answer.error.code == code
    assert len(answer.error.message) < 300
    assert talk.receive(configure(sample_rate=16_000)) is None


def test_nobody_may_go_on_making_no_sense() -> None:
    talk = conversation()
    for _ in range(MAX_MISTAKES):
        assert isinstance(talk.receive("?"), Tell)
    answer = talk.receive("?")
    assert isinstance(answer, Leave)
    assert (answer.code, code_of(answer)) == (1008, "policy_violation")


def test_empty_frames_are_nothing_but_too_many_of_them_are_a_violation() -> None:
    talk = conversation()
    for _ in range(2):
        assert {talk.receive(b"") for _ in range(MAX_EMPTY_FRAMES)} == {None}
        talk.receive(b"\0\0")
    assert {talk.receive(b"") for _ in range(MAX_EMPTY_FRAMES)} == {None}
    answer = talk.receive(b"")
    assert isinstance(answer, Leave)
    assert (answer.code, code_of(answer)) == (1008, "policy_violation")


def test_an_empty_frame_is_no_audio() -> None:
    talk = conversation()
    talk.receive(b"")
    assert talk.receive(configure(sample_rate=8_000)) is None


@pytest.mark.parametrize("frame", [bytes(101), "x" * 101])
def test_a_frame_above_the_limit_ends_the_connection(frame: bytes | str) -> None:
    answer = conversation(max_frame_bytes=100).receive(frame)
    assert isinstance(answer, Leave)
    assert (answer.code, code_of(answer)) == (1009, "payload_too_large")


def test_a_frame_at_the_limit_is_taken() -> None:
    assert conversation(max_frame_bytes=100).receive(bytes(100)) == Audio(bytes(100))
