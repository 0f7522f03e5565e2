import numpy as np
import pytest

from wyoming_stt.decoding.options import SearchOptions
from wyoming_stt.models.families.fake import FakeRecognizer, FakeStream
from wyoming_stt.types import Samples

CHUNK = 5_120
SENTENCE = "turn on the kitchen light please"


def loud(chunks: float) -> Samples:
    return np.full(round(chunks * CHUNK), 0.1, np.float32)


def quiet(chunks: float) -> Samples:
    return np.full(round(chunks * CHUNK), 0.01, np.float32)


def text_of(*pieces: Samples) -> str:
    stream = FakeStream()
    for piece in pieces:
        stream.push(piece)
    return FakeRecognizer().tokens.decode(stream.finish().token_ids)


@pytest.mark.parametrize("words", range(7))
def test_it_says_a_word_every_loud_chunk(words: int) -> None:
    expected = (SENTENCE.split() * 2)[:words]
    assert text_of(loud(words)) == " ".join(expected)


def test_it_is_silent_in_silence() -> None:
    assert text_of(quiet(9)) == ""
    assert text_of(quiet(2), loud(1), quiet(3), loud(1), quiet(2)) == "turn on"


def test_the_rest_is_filled_with_silence() -> None:
    assert text_of(loud(1.5)) == "turn on"
    assert text_of(loud(1.005)) == "turn"


def test_words_are_where_they_were_said() -> None:
    stream = FakeRecognizer().open(SearchOptions())
    stream.push(quiet(2))
    hypothesis = stream.push(np.concatenate([loud(1), quiet(1), loud(1)]))
    assert hypothesis.frames == (16, 32)
    assert (hypothesis.num_frames, hypothesis.num_committed) == (40, 2)
    assert stream.push(quiet(2)).trailing_blanks == 16 + 7
