"""When an utterance ends by itself, and what is known before it does."""

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings

from tests.support.chunks import every
from tests.support.onnx_models import audio, build
from tests.support.recognizers import ScriptedRecognizer, ScriptedStream
from tests.support.sound import loud, patterns, quiet
from wyoming_stt.audio.endpoint import EndpointOptions, EndpointRule
from wyoming_stt.audio.gate import VadOptions
from wyoming_stt.decoding.hypothesis import EMPTY, Hypothesis
from wyoming_stt.decoding.options import SearchOptions
from wyoming_stt.events import Endpoint, Event, FinalTranscript, SpeechEnded
from wyoming_stt.models.base import Recognizer, RecognizerStream
from wyoming_stt.models.families.fake import FakeRecognizer
from wyoming_stt.models.registry import load_model
from wyoming_stt.session import Session, SessionState, UtteranceOptions
from wyoming_stt.text.words import confidence
from wyoming_stt.types import Samples

SECOND = 16_000
FRAME = 640
STEP = 640
ENERGY = VadOptions(kind="energy")
OFF = VadOptions(kind="off")


def listen(
    pcm: bytes,
    endpoint: EndpointOptions | None = None,
    *,
    vad: VadOptions = ENERGY,
    recognizer: Recognizer | None = None,
) -> tuple[Session, list[Event]]:
    """Let a session hear audio, without telling it that there is no more."""
    options = UtteranceOptions(vad=vad, endpoint=endpoint)
    session = Session(recognizer or FakeRecognizer(), options)
    return session, [event for piece in every(pcm, 1_280) for event in session.accept(piece)]


def endpoints(events: Iterable[Event]) -> list[Endpoint]:
    return [event for event in events if isinstance(event, Endpoint)]


def up_to_step(position: float) -> int:
    return -(-round(position) // STEP) * STEP


# The rules.


@pytest.mark.parametrize("vad", [ENERGY, OFF], ids=["gated", "open"])
def test_silence_ends_when_nothing_is_said(vad: VadOptions) -> None:
    session, events = listen(quiet(5), EndpointOptions(), vad=vad)
    position = up_to_step(2.4 * SECOND)
    assert events == [
        Endpoint(position, "nothing-said"),
        FinalTranscript(position, "", (), (), 0.0),
    ]
    assert session.state is SessionState.ENDED


def test_silence_after_speech_ends() -> None:
    session, events = listen(quiet(1) + loud(1) + quiet(3), EndpointOptions())
    *_, ended, endpoint, last = events
    assert ended == SpeechEnded(2 * SECOND)
    assert endpoint == Endpoint(up_to_step(3.2 * SECOND), "speech-ended")
    assert last.text == "turn on the kitchen"
    assert last.position == endpoint.position
    assert session.state is SessionState.ENDED


def test_speech_that_never_stops_ends() -> None:
    _, events = listen(loud(21), EndpointOptions())
    *_, endpoint, ended, last = events
    assert endpoint == Endpoint(20 * SECOND, "too-long")
    assert ended == SpeechEnded(20 * SECOND)
    assert len(last.words) == 20 * SECOND // 5_120 + 1


def test_a_pause_shorter_than_the_rule_does_not_end() -> None:
    _, events = listen(loud(1) + quiet(1) + loud(1) + quiet(1), EndpointOptions())
    assert endpoints(events) == []


def words_at(*frames: int) -> ScriptedRecognizer:
    """Hear words at these encoder frames, and blanks between and after them."""

    def hypothesis(stream: ScriptedStream) -> Hypothesis:
        heard = tuple(frame for frame in frames if frame < stream.num_samples // FRAME)
        tokens, log_probs = (3,) * len(heard), (0.0,) * len(heard)
        return Hypothesis(tokens, heard, log_probs, stream.num_samples // FRAME, len(heard))

    return ScriptedRecognizer(push=hypothesis, finish=hypothesis)


def test_noise_keeps_no_utterance_open() -> None:
    """A fan is speech to an energy detector; half a second of it is believed after a word."""
    _, events = listen(loud(5), EndpointOptions(), recognizer=words_at(9))
    position = up_to_step(10 * FRAME + (1.2 + 0.5) * SECOND)
    assert endpoints(events) == [Endpoint(position, "speech-ended")]
    _, events = listen(loud(5), EndpointOptions(), recognizer=words_at())
    assert endpoints(events) == [Endpoint(up_to_step(2.4 * SECOND), "nothing-said")]


def test_words_far_apart_are_one_utterance_while_the_detector_hears_speech() -> None:
    aggressive = EndpointOptions.from_sensitivity("aggressive")
    recognizer = words_at(5, 20, 35)
    _, events = listen(loud(1.6) + quiet(2), aggressive, recognizer=recognizer)
    (endpoint,) = endpoints(events)
    assert endpoint.position >= (1.6 + 0.25) * SECOND
    assert len(events[-1].words) == 3


def test_whoever_begins_late_is_heard_out() -> None:
    """2.4 s without a word are over before the recogniser can have heard the first one."""
    recognizer = words_at(40, 50)  # of what is fed, which begins with half a second of silence
    vad = VadOptions(kind="energy", pre_roll_s=0.5)
    pcm = quiet(2.2) + loud(1.5) + quiet(2)
    _, events = listen(pcm, EndpointOptions(), vad=vad, recognizer=recognizer)
    (endpoint,) = endpoints(events)
    assert endpoint.rule == "speech-ended"
    assert endpoint.position >= (2.2 + 1.5 + 1.2) * SECOND


def test_an_offline_model_ends_by_the_detector() -> None:
    recognizer = ScriptedRecognizer(streaming=False)
    _, events = listen(loud(1) + quiet(3), EndpointOptions(), recognizer=recognizer)
    assert endpoints(events) == [Endpoint(up_to_step(2.2 * SECOND), "speech-ended")]


def test_without_rules_nothing_ends() -> None:
    for endpoint in (None, EndpointOptions(rules=())):
        session, events = listen(loud(1) + quiet(25), endpoint)
        assert endpoints(events) == []
        assert session.state is SessionState.LISTENING


def test_audio_after_the_end_is_not_listened_to() -> None:
    at_once = EndpointOptions((EndpointRule("at-once", False, 0.0, 0.5),))
    session, events = listen(loud(0.5) + loud(5), at_once)
    assert endpoints(events) == [Endpoint(up_to_step(SECOND / 2), "at-once")]
    assert events[-1].text == "turn on"
    assert session.accept(loud(1)) == session.finish() == []


def test_the_end_may_come_with_the_last_samples() -> None:
    rule = EndpointOptions((EndpointRule("at-once", False, 0.0, 0.51),))
    session, events = listen(quiet(0.5125), rule)
    assert events == []
    assert [type(event) for event in session.finish()] == [Endpoint, FinalTranscript]


# What is known before the end.


def test_the_end_is_known_once_speech_has_ended() -> None:
    recognizer = ScriptedRecognizer()
    session, events = listen(loud(1) + quiet(2), recognizer=recognizer)
    assert isinstance(events[-1], SpeechEnded)
    asked: list[int] = []
    recognizer.finish = lambda stream: asked.append(stream.number) or EMPTY
    assert [type(event) for event in session.finish()] == [FinalTranscript]
    assert asked == []


def test_the_end_is_asked_for_where_speech_goes_on() -> None:
    recognizer = ScriptedRecognizer()
    session, _ = listen(loud(1), recognizer=recognizer)
    asked: list[int] = []
    recognizer.finish = lambda stream: asked.append(stream.number) or EMPTY
    session.finish()
    assert asked == [0]


def test_silence_is_looked_past_once_only() -> None:
    recognizer = ScriptedRecognizer()
    listen(loud(1) + quiet(3) + loud(1) + quiet(3), recognizer=recognizer)
    assert len(recognizer.streams) == 1 + 2


def test_an_offline_model_looks_past_short_speech_only() -> None:
    for length, num_streams in ((14, 2), (16, 1)):
        recognizer = ScriptedRecognizer(streaming=False)
        listen(loud(length) + quiet(1), recognizer=recognizer)
        assert len(recognizer.streams) == num_streams


@pytest.fixture(scope="module")
def zipformer(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    return load_model(build("zipformer2", tmp_path_factory.mktemp("model")), languages=["en"])


def spoken(*parts: float) -> bytes:
    """Babble (seconds above 0) and silence (below 0)."""
    return b"".join(
        (audio.speechlike(length, seed=i) * 32_767).astype("<i2").tobytes()
        if length > 0
        else quiet(-length)
        for i, length in enumerate(parts)
    )


class Recorder:
    """A recogniser that keeps what its streams are given; forks are on their own."""

    def __init__(self, recognizer: Recognizer) -> None:
        self.recognizer = recognizer
        self.info, self.tokens = recognizer.info, recognizer.tokens
        self.fed: list[Samples] = []

    def open(self, options: SearchOptions) -> RecognizerStream:
        self.stream = self.recognizer.open(options)
        return self

    def push(self, samples: Samples) -> Hypothesis:
        self.fed.append(samples)
        return self.stream.push(samples)

    def finish(self) -> Hypothesis:
        return self.stream.finish()

    def fork(self) -> RecognizerStream:
        return self.stream.fork()


def tells_the_plain_end(recognizer: Recognizer, pcm: bytes) -> None:
    """Compare with a stream that is given the same samples and finished, never forked."""
    recorder = Recorder(recognizer)
    session, _ = listen(pcm, recognizer=recorder)
    last = session.finish()[-1]
    plain = recognizer.open(SearchOptions())
    plain.push(np.concatenate(recorder.fed))
    assert last.token_ids == plain.finish().token_ids
    assert last.confidence == confidence(plain.finish().log_probs)


@settings(max_examples=30)
@given(patterns())
def test_looking_ahead_tells_the_plain_end(pattern: bytes) -> None:
    tells_the_plain_end(FakeRecognizer(), loud(0.2) + pattern)


@pytest.mark.parametrize(
    "pcm",
    [spoken(0.7, -1.0), spoken(-1.0, 0.9, -0.7, 0.6, -2.0), spoken(0.5, -9.0, 0.5, -0.6)],
    ids=["once", "twice", "far apart"],
)
def test_looking_ahead_tells_the_plain_end_of_a_model(zipformer: Recognizer, pcm: bytes) -> None:
    tells_the_plain_end(zipformer, pcm)
