from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.chunks import cut, every
from wyoming_stt.audio.gate import OpenGate, SpeechGate, VadOptions, make_gate
from wyoming_stt.audio.vad import VADS, EnergyVad
from wyoming_stt.errors import SettingsError
from wyoming_stt.events import SpeechEnded, SpeechStarted
from wyoming_stt.types import Samples

ALIGN = 5_120
SECOND = 16_000
OPTIONS = VadOptions(
    kind="energy", min_speech_s=0.05, pre_roll_s=0.2, hangover_s=0.3, max_hold_s=2.0
)
# The frames that open the gate are withheld with the pre-roll, and one more for rounding.
KEPT = 3_200 + 800 + 160
HANGOVER = 4_800


def sound(*durations_s: float) -> Samples:
    """Silence and speech in turn, beginning with silence; no two samples are alike."""
    sizes = [round(duration_s * SECOND) for duration_s in durations_s]
    samples = np.random.default_rng(11).standard_normal(sum(sizes)).astype(np.float32)
    levels = np.repeat([(0.001, 0.1)[i % 2] for i in range(len(sizes))], sizes)
    return samples * levels.astype(np.float32)


class Listener:
    """Everything that came out of a gate."""

    def __init__(
        self, pieces: Sequence[Samples], options: VadOptions = OPTIONS, align: int = ALIGN
    ) -> None:
        self.gate = make_gate(options, align)
        outputs = [self.gate.push(piece) for piece in pieces]
        self.closed = [output.closed for output in outputs]
        outputs.append(self.gate.finish())
        self.fed = np.concatenate([output.samples for output in outputs])
        self.events = [event for output in outputs for event in output.events]

    def places(self) -> list[int]:
        return [self.gate.true_position(position) for position in range(len(self.fed))]


def test_silence_is_never_fed() -> None:
    listener = Listener([sound(10.0)])
    assert len(listener.fed) == 0
    assert listener.events == []
    assert not listener.gate.heard_speech
    assert listener.gate.speech_end is None


def test_leading_silence_is_dropped_in_whole_chunks() -> None:
    samples = sound(3.0, 1.0)
    listener = Listener([samples])
    offset = listener.gate.true_position(0)
    assert offset % ALIGN == 0
    assert 0 <= 48_000 - KEPT - offset < ALIGN
    assert np.array_equal(listener.fed, samples[offset:])
    assert listener.events == [SpeechStarted(48_000), SpeechEnded(64_000)]


def test_speech_at_once_is_fed_from_the_first_sample() -> None:
    samples = sound(0.0, 1.0)
    assert np.array_equal(Listener([samples]).fed, samples)


def test_silence_after_speech_is_withheld_after_the_hangover() -> None:
    samples = sound(0.0, 1.0, 1.5)
    listener = Listener([samples])
    assert np.array_equal(listener.fed, samples[: SECOND + HANGOVER])
    assert listener.events == [SpeechStarted(0), SpeechEnded(SECOND)]
    assert listener.gate.speech_end == SECOND


def test_the_gate_tells_when_it_closes() -> None:
    closed = Listener(every(sound(0.5, 1.0, 0.5, 0.5), 1_600)).closed
    assert closed == [True] * 5 + [False] * 12 + [True] * 3 + [False] * 5


def test_a_pause_is_fed_when_speech_resumes() -> None:
    samples = sound(0.0, 1.0, 1.5, 1.0)
    listener = Listener([samples])
    assert np.array_equal(listener.fed, samples)
    assert listener.events == [
        SpeechStarted(0),
        SpeechEnded(SECOND),
        SpeechStarted(40_000),
        SpeechEnded(56_000),
    ]


def test_of_a_long_pause_the_middle_is_dropped() -> None:
    samples = sound(0.0, 1.0, 10.0, 1.0)
    listener = Listener([samples])
    dropped = len(samples) - len(listener.fed)
    assert dropped % ALIGN == 0
    waited = 10 * SECOND - HANGOVER
    assert 0 <= waited - dropped - 2 * SECOND < ALIGN
    cut_at = SECOND + HANGOVER + 2 * SECOND - KEPT
    assert listener.gate.true_position(cut_at - 1) == cut_at - 1
    assert listener.gate.true_position(cut_at) == cut_at + dropped
    assert np.array_equal(listener.fed, samples[listener.places()])


def test_a_click_does_not_open_the_gate() -> None:
    listener = Listener([sound(1.0, 0.03, 1.0, 0.03, 1.0)])
    assert len(listener.fed) == 0
    assert listener.events == []


def test_a_frame_that_is_not_whole_waits_for_no_one_in_speech() -> None:
    gate = make_gate(OPTIONS, ALIGN)
    gate.push(sound(0.0, 0.5))
    assert len(gate.push(sound(0.0, 0.001)).samples) == 16


# The same at a tenth of the size, for many examples in little time.
SMALL = VadOptions(
    kind="energy", min_speech_s=0.02, pre_roll_s=0.02, hangover_s=0.03, max_hold_s=0.2
)
SMALL_ALIGN = 512
segments = st.lists(st.sampled_from([0.0, 0.005, 0.015, 0.031, 0.05, 0.1, 0.33]), max_size=8)


@settings(max_examples=60, deadline=None)
@given(segments, st.data())
def test_any_chunking_feeds_the_same(durations_s: list[float], data: st.DataObject) -> None:
    samples = sound(*durations_s)
    whole = Listener([samples], SMALL, SMALL_ALIGN)
    pieces = Listener(data.draw(cut(samples)), SMALL, SMALL_ALIGN)
    assert np.array_equal(pieces.fed, whole.fed)
    assert pieces.events == whole.events
    assert pieces.places() == whole.places()


@settings(max_examples=60, deadline=None)
@given(segments)
def test_what_is_fed_is_where_the_map_says_and_has_all_speech(durations_s: list[float]) -> None:
    samples = sound(*durations_s)
    listener = Listener([samples], SMALL, SMALL_ALIGN)
    places = listener.places()
    assert np.array_equal(listener.fed, samples[places])
    assert set(np.diff([-1, *places]) % SMALL_ALIGN) <= {1}
    starts = [event.position for event in listener.events if isinstance(event, SpeechStarted)]
    ends = [event.position for event in listener.events if isinstance(event, SpeechEnded)]
    spoken = {p for a, b in zip(starts, ends, strict=True) for p in range(max(0, a - 320), b)}
    assert spoken <= set(places)


def test_off_is_a_gate_that_stands_open() -> None:
    samples = sound(2.0, 1.0)
    listener = Listener(every(samples, 1_000), VadOptions(kind="off"))
    assert isinstance(listener.gate, OpenGate)
    assert np.array_equal(listener.fed, samples)
    assert listener.places() == list(range(len(samples)))
    assert not any(listener.closed)
    assert listener.events == []


class Murmur(EnergyVad):
    """Never quite sure."""

    def speech_prob(self, frame: Samples) -> float:
        return 0.4 * super().speech_prob(frame)


@pytest.mark.parametrize(("sensitivity", "heard"), [(0.5, False), (0.7, True)])
def test_sensitivity_is_what_probability_suffices(sensitivity: float, heard: bool) -> None:
    gate = SpeechGate(Murmur(), VadOptions(sensitivity=sensitivity), ALIGN)
    gate.push(sound(0.0, 1.0))
    assert gate.heard_speech is heard


@pytest.mark.parametrize("kind", VADS)
def test_every_kind_is_made_and_hears_no_speech_in_silence(kind: str) -> None:
    gate = make_gate(VadOptions(kind=kind), ALIGN)
    assert len(gate.push(np.zeros(SECOND, np.float32)).samples) == 0
    assert not gate.in_speech


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "ear"}, {"sensitivity": 0}, {"sensitivity": 1.1}, {"hangover_s": -0.1}],
)
def test_wrong_options_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=r"voice detector|sensitivity|negative"):
        VadOptions(**wrong)
