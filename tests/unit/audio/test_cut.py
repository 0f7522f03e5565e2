import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.chunks import cut, every
from tests.support.sound import loud, patterns, quiet
from wyoming_stt.audio.cut import CHOICE_S, CutOptions, Cutter
from wyoming_stt.audio.gate import VadOptions
from wyoming_stt.audio.pcm import AudioFormat
from wyoming_stt.errors import SettingsError

SECOND = 32_000
MONO = AudioFormat()
ENERGY = VadOptions(kind="energy")
SMALL = CutOptions(from_s=2.0, longest_s=6.0, long_pause_s=0.6, short_pause_s=0.2)


def first_cut(
    pieces: list[bytes], options: CutOptions = SMALL, audio_format: AudioFormat = MONO
) -> int | None:
    """Where the first piece ends; on the way there, what is settled only grows and is kept."""
    cutter, settled = Cutter(audio_format, ENERGY, options), 0
    for pcm in pieces:
        end = cutter.push(pcm)
        assert settled <= cutter.settled
        settled = cutter.settled
        if end is not None:
            assert settled <= end
            return end
    return None


def is_quiet(pcm: bytes, position: int) -> bool:
    """Whether nothing is heard just before and after."""
    around = pcm[max(0, position - 320) : position + 320]
    return not np.frombuffer(around, "<i2").any()


def test_a_short_piece_is_not_cut() -> None:
    assert first_cut([loud(0.7) + quiet(1.3)]) is None


def test_silence_is_cut_as_soon_as_may_be() -> None:
    assert first_cut([quiet(5)]) == 2 * SECOND


def test_a_pause_is_cut_in_its_middle() -> None:
    pcm = loud(2.2) + quiet(2) + loud(2)
    end = first_cut([pcm])
    assert end is not None
    # Its middle when it has lasted long enough: somebody may wait for the words before it.
    assert 2.2 * SECOND + 0.2 * SECOND < end < 2.2 * SECOND + 0.35 * SECOND


def test_the_longer_the_piece_the_shorter_a_pause_will_do() -> None:
    rhythm = loud(0.7) + quiet(0.3)
    end = first_cut([rhythm * 6])
    assert end is not None
    assert end > 4 * SECOND
    assert is_quiet(rhythm * 6, end)


def test_speech_without_a_pause_is_cut_where_it_is_softest() -> None:
    samples = np.frombuffer(loud(8), "<i2").copy()
    samples[round(5.1 * 16_000) : round(5.25 * 16_000)] //= 3
    end = first_cut([samples.tobytes()])
    assert end is not None
    assert 5.1 * SECOND < end < 5.25 * SECOND


def test_no_piece_is_longer_than_it_may_be() -> None:
    end = first_cut([loud(8)])
    assert end is not None
    assert (6 - CHOICE_S) * SECOND <= end <= 6 * SECOND


@pytest.mark.parametrize("audio_format", [AudioFormat(44_100), AudioFormat(8_000, 4, 2)])
def test_a_cut_is_between_frames_of_any_format(audio_format: AudioFormat) -> None:
    second = audio_format.seconds_to_bytes(1)
    end = first_cut([bytes(5 * second)], audio_format=audio_format)
    assert end is not None
    assert end % audio_format.frame_bytes == 0
    assert end == pytest.approx(2 * second, abs=0.02 * second)


@settings(max_examples=60, deadline=None)
@given(patterns(), st.data())
def test_any_chunking_gives_the_same_cut(pcm: bytes, data: st.DataObject) -> None:
    assert first_cut(data.draw(cut(pcm))) == first_cut([pcm])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 150), st.integers(1, 100)), min_size=4, max_size=12))
def test_a_cut_is_never_inside_speech_where_there_is_a_pause(
    parts: list[tuple[int, int]],
) -> None:
    pcm = b"".join(loud(speech / 100) + quiet(pause / 100) for speech, pause in parts)
    end = first_cut(every(pcm, 8_000))
    # Of speech without a pause there is one way out, which begins at `CHOICE_S` before the end.
    assert end is None or is_quiet(pcm, end) or end >= (6 - CHOICE_S) * SECOND


def test_pieces_fit_a_limit() -> None:
    assert CutOptions().within(300) == CutOptions()
    limited = CutOptions().within(15)
    assert (limited.from_s, limited.longest_s) == (7.5, 15)


@pytest.mark.parametrize(
    "wrong",
    [
        {"from_s": 0},
        {"from_s": 61},
        {"short_pause_s": 0},
        {"long_pause_s": 0.1},
    ],
)
def test_wrong_options_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=r"cut\.\w+ must be above 0"):
        CutOptions(**wrong)
