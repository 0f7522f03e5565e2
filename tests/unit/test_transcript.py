import pytest

from wyoming_stt.events import FinalTranscript, Word
from wyoming_stt.transcript import Transcript, segments
from wyoming_stt.types import SAMPLE_RATE


def word(text: str, start_s: float, end_s: float, confidence: float = 0.5) -> Word:
    return Word(text, round(start_s * SAMPLE_RATE), round(end_s * SAMPLE_RATE), confidence)


def final(*words: Word, confidence: float = 0.5) -> FinalTranscript:
    text = " ".join(word.text for word in words)
    return FinalTranscript(99, text, tuple(range(len(words))), words, confidence)


def test_a_pause_over_900_ms_begins_a_segment() -> None:
    words = [word("a", 0, 0.1), word("b", 1.0, 1.1), word("c", 2.01, 2.1)]
    assert [segment.text for segment in segments(words)] == ["a b", "c"]


def test_a_segment_is_at_most_30_s_long() -> None:
    words = [word(str(n), n * 0.5, n * 0.5 + 0.4) for n in range(150)]
    found = segments(words)
    assert [word for segment in found for word in segment.words] == words
    assert [len(segment.words) for segment in found] == [60, 60, 30]
    assert max(segment.end - segment.start for segment in found) <= 30 * SAMPLE_RATE


def test_a_segment_lasts_from_its_first_word_to_its_last() -> None:
    (segment,) = segments([word("a", 1, 1.5, 0.9), word("b", 1.6, 2, 0.4)])
    assert (segment.start, segment.end) == (SAMPLE_RATE, 2 * SAMPLE_RATE)
    assert segment.confidence == pytest.approx(0.6)


def test_no_words_are_no_segments() -> None:
    assert segments([]) == ()


def test_pieces_are_joined() -> None:
    pieces = [
        final(word("turn", 0, 0.2), word("on", 0.3, 0.4), confidence=0.25),
        final(),
        final(word("please", 40, 41), confidence=0.5),
    ]
    joined = Transcript.join(pieces, duration_s=42.0, language="en", model="fake")
    assert joined.text == "turn on please"
    assert [word.text for word in joined.words] == ["turn", "on", "please"]
    assert [segment.text for segment in joined.segments] == ["turn on", "please"]
    assert joined.token_ids == (0, 1, 0)
    assert joined.confidence == pytest.approx((0.25**2 * 0.5) ** (1 / 3))
    assert (joined.duration_s, joined.language, joined.model) == (42.0, "en", "fake")


def test_silence_is_an_empty_transcript() -> None:
    joined = Transcript.join([final()], duration_s=1.0, language="en", model="fake")
    assert (joined.text, joined.words, joined.segments, joined.confidence) == ("", (), (), 0.0)


def test_a_piece_of_no_confidence_leaves_none() -> None:
    pieces = [final(word("a", 0, 1), confidence=0.0), final(word("b", 2, 3), confidence=0.9)]
    assert Transcript.join(pieces, duration_s=3, language="", model="").confidence == 0.0
