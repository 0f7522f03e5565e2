import json

from wyoming_stt.events import (
    Endpoint,
    FinalTranscript,
    PartialTranscript,
    SpeechEnded,
    SpeechStarted,
    Word,
)
from wyoming_stt.front.http.websocket.messages import ErrorMessage, heard, text_of

PARTIAL = PartialTranscript(8_000, "turn on", "turn")
FINAL = FinalTranscript(32_000, "turn on", (3, 4), (Word("turn", 1_600, 4_800, 0.5),), 0.75)
NOTHING = FinalTranscript(40_000, "", (), (), 0.0)


def test_words_carry_their_times_in_seconds() -> None:
    (message,) = heard([FINAL], is_end=False)
    assert json.loads(message.model_dump_json(exclude_none=True)) == {
        "type": "final",
        "text": "turn on",
        "is_final": True,
        "timestamp": 2.0,
        "words": [{"word": "turn", "start": 0.1, "end": 0.3, "confidence": 0.5}],
        "confidence": 0.75,
        "speech_final": False,
        "endpoint_reason": "length",
    }


def test_partial_words_tell_what_will_not_change() -> None:
    (message,) = heard([PARTIAL], is_end=False)
    assert json.loads(message.model_dump_json(exclude_none=True)) == {
        "type": "partial",
        "text": "turn on",
        "is_final": False,
        "timestamp": 0.5,
        "words": [],
        "committed": "turn",
    }


def test_a_final_tells_what_ended_it() -> None:
    events = [SpeechStarted(0), FINAL, SpeechEnded(1), Endpoint(2, "speech-ended"), FINAL, NOTHING]
    going_on = heard(events, is_end=False)
    assert [(m.speech_final, m.endpoint_reason) for m in going_on] == [
        (False, "length"),
        (True, "vad"),
        (False, "length"),
    ]
    ended = heard(events, is_end=True)
    assert ended[:2] == going_on[:2]
    assert (ended[2].speech_final, ended[2].endpoint_reason) == (True, "stop")


def test_nothing_heard_is_nothing_said() -> None:
    assert heard([], is_end=True) == []
    assert heard([SpeechStarted(0), Endpoint(1, "nothing-said")], is_end=False) == []


def test_text_is_that_of_what_has_ended() -> None:
    assert text_of([PARTIAL, FINAL, NOTHING, FINAL]) == "turn on turn on"
    assert not text_of([PARTIAL, NOTHING])


def test_an_error_without_a_hint_has_none() -> None:
    error = ErrorMessage(code="idle_timeout", message="nothing came for 300 s")
    assert "retry" not in error.model_dump_json(exclude_none=True)
