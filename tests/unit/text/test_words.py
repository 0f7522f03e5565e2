import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wyoming_stt.decoding.hypothesis import EMPTY, Hypothesis
from wyoming_stt.events import Word
from wyoming_stt.text.tokens import TokenTable
from wyoming_stt.text.words import confidence, group

PIECES = ("<blk>", "▁turn", "▁kit", "chen", "▁", "中", "。", "▁caf", "<0xC3>", "<0xA9>", "<unk>")
TOKENS = TokenTable(PIECES)
FRAME = 640


def grouped(*token_ids: int, frames: tuple[int, ...] | None = None) -> tuple[Word, ...]:
    frames = frames or tuple(range(len(token_ids)))
    log_probs = (0.0,) * len(token_ids)
    return group(Hypothesis(token_ids, frames, log_probs, 100), TOKENS, FRAME)


def texts(*token_ids: int) -> list[str]:
    return [word.text for word in grouped(*token_ids)]


def test_no_tokens_make_no_words() -> None:
    assert group(EMPTY, TOKENS, FRAME) == ()


def test_a_word_lasts_from_its_first_to_its_last_token() -> None:
    first, second = grouped(1, 2, 3, frames=(2, 7, 10))
    assert (first.text, first.start, first.end) == ("turn", 2 * FRAME, 3 * FRAME)
    assert (second.text, second.start, second.end) == ("kitchen", 7 * FRAME, 11 * FRAME)


def test_words_begin_where_their_pieces_say() -> None:
    assert texts(1, 2, 3) == ["turn", "kitchen"]
    assert texts(3, 1) == ["chen", "turn"]
    assert texts(4, 3, 1) == ["chen", "turn"]
    assert texts(5, 5, 6, 1) == ["中", "中。", "turn"]
    assert texts(7, 8, 9, 1) == ["café", "turn"]


def test_what_has_no_text_is_no_word() -> None:
    assert texts(4) == []
    assert texts(4, 4, 1) == ["turn"]
    assert texts(10, 0) == []
    assert texts(8) == []


def test_confidence_is_the_geometric_mean() -> None:
    assert confidence(()) == 0.0
    assert confidence((0.0, 0.0)) == 1.0
    assert confidence((math.log(0.5), math.log(0.125))) == pytest.approx(0.25)
    hypothesis = Hypothesis((1, 2, 3), (0, 1, 2), (math.log(0.5), math.log(0.9), math.log(0.4)), 3)
    first, second = group(hypothesis, TOKENS, FRAME)
    assert first.confidence == pytest.approx(0.5)
    assert second.confidence == pytest.approx(0.6)


@settings(max_examples=50)
@given(st.data())
def test_words_are_in_order_and_say_what_the_text_says(data: st.DataObject) -> None:
    token_ids = tuple(data.draw(st.lists(st.integers(0, len(PIECES) - 1), max_size=12)))
    count = len(token_ids)
    steps = data.draw(st.lists(st.integers(1, 5), min_size=count, max_size=count))
    frames = tuple(sum(steps[: i + 1]) for i in range(count))
    words = grouped(*token_ids, frames=frames)
    letters = "".join(word.text for word in words).replace(" ", "")
    assert letters == TOKENS.decode(token_ids).replace(" ", "")
    bounds = [position for word in words for position in (word.start, word.end)]
    assert bounds == sorted(bounds)
    assert all(0.0 <= word.confidence <= 1.0 for word in words)
