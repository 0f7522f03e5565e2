import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.ngrams import write_bigrams
from tests.support.scripted_joint import ScriptedJoint, frames
from wyoming_stt.decoding.beam import BeamSearch
from wyoming_stt.decoding.greedy import GreedySearch
from wyoming_stt.decoding.hypothesis import EMPTY, Hypothesis
from wyoming_stt.decoding.options import Hotword, SearchOptions
from wyoming_stt.decoding.search import SearchFactory
from wyoming_stt.text.tokens import TokenTable

TOKENS = TokenTable(("<blk>", "▁on", "▁off", "▁turn"))
FACTORY = SearchFactory(TOKENS)
CLOSE = [0.0, 5.0, 4.0, 0.0]
"""Logits that prefer "on" to "off" by 1."""


def said(options: SearchOptions, *rows: Sequence[float]) -> str:
    search = SearchFactory(TOKENS).open(ScriptedJoint(), options)
    search.advance(frames(*rows))
    search.finish()
    return TOKENS.decode(search.hypothesis().token_ids)


def both(*hotwords: Hotword, **options: float) -> list[SearchOptions]:
    return [SearchOptions(method, hotwords=hotwords, **options) for method in ("greedy", "beam")]


def test_the_method_is_the_one_asked_for() -> None:
    assert isinstance(FACTORY.open(ScriptedJoint(), SearchOptions()), GreedySearch)
    assert isinstance(FACTORY.open(ScriptedJoint(), SearchOptions("beam")), BeamSearch)


@pytest.mark.parametrize("options", both())
def test_without_hotwords_the_model_decides(options: SearchOptions) -> None:
    assert said(options, CLOSE) == "on"


@pytest.mark.parametrize("options", both(Hotword("off")))
def test_a_hotword_has_the_default_score(options: SearchOptions) -> None:
    assert options.hotwords_score == 1.5
    assert said(options, CLOSE) == "off"


@pytest.mark.parametrize("options", both(Hotword("off"), hotwords_score=0.5))
def test_the_default_score_is_an_option(options: SearchOptions) -> None:
    assert said(options, CLOSE) == "on"


@pytest.mark.parametrize("options", both(Hotword("off", 2.0), hotwords_score=0.5))
def test_a_hotwords_own_score_wins(options: SearchOptions) -> None:
    assert said(options, CLOSE) == "off"


@pytest.mark.parametrize("options", both(Hotword("off", 0.0)))
def test_a_score_of_zero_is_a_score(options: SearchOptions) -> None:
    assert said(options, CLOSE) == "on"


@pytest.mark.parametrize("options", both(Hotword("OFF"), Hotword("kitchen")))
def test_hotwords_are_spelled_in_the_models_letters_if_they_can_be(
    options: SearchOptions, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert said(options, CLOSE) == "off"
    assert [(record.levelname, record.args) for record in caplog.records] == [
        ("DEBUG", ("kitchen",))
    ]


@pytest.mark.parametrize("options", both(blank_penalty=3.0))
def test_a_blank_penalty_reaches_the_search(options: SearchOptions) -> None:
    assert said(options, [6.0, 5.0, 0.0, 0.0]) == "on"


def test_paths_reach_the_search() -> None:
    # Two ways to say it together outweigh silence, for a search that sees both.
    rows = ([0.0, -0.2, -9.0, -9.0],) * 2
    assert said(SearchOptions("beam", max_active_paths=1), *rows) == ""
    assert said(SearchOptions("beam", max_active_paths=4), *rows) == "on"


TURN_OR_OFF = [0.0, -9.0, 5.0, 4.5]
"""Logits that prefer "off" to "turn" by 0.5; after "off" the language model expects "turn"."""


def test_a_language_model_is_asked(tmp_path: Path) -> None:
    factory = SearchFactory(TOKENS, language_model=write_bigrams(tmp_path / "lm.npz"))

    def said(*rows: Sequence[float], **options: object) -> str:
        search = factory.open(ScriptedJoint(), SearchOptions(**options))
        search.advance(frames(*rows))
        search.finish()
        return TOKENS.decode(search.hypothesis().token_ids)

    assert isinstance(factory.open(ScriptedJoint(), SearchOptions()), BeamSearch)
    assert isinstance(factory.open(ScriptedJoint(), SearchOptions("greedy")), GreedySearch)
    assert isinstance(factory.open(ScriptedJoint(), SearchOptions(lm_scale=0)), GreedySearch)
    assert said(TURN_OR_OFF, TURN_OR_OFF) == "off turn"
    assert said(TURN_OR_OFF, TURN_OR_OFF, lm_scale=0.01) == "off off"
    assert said(TURN_OR_OFF, TURN_OR_OFF, method="beam", lm_scale=0) == "off off"
    # Hotwords are worth as much as without it.
    assert said(TURN_OR_OFF, TURN_OR_OFF, hotwords=(Hotword("turn", 9.0),)) == "turn turn"


def test_more_paths_are_kept_where_there_is_a_language_model(tmp_path: Path) -> None:
    factory = SearchFactory(TOKENS, language_model=write_bigrams(tmp_path / "lm.npz"))

    rows = ([0.0, -0.2, -9.0, -9.0],) * 2
    single, several = (
        factory.open(ScriptedJoint(), SearchOptions(lm_active_paths=n, lm_scale=1e-9, lm_bonus=0))
        for n in (1, 4)
    )
    for search in (single, several):
        search.advance(frames(*rows))
        search.finish()
    assert TOKENS.decode(single.hypothesis().token_ids) == ""
    assert TOKENS.decode(several.hypothesis().token_ids) == "on"


def test_silence_gains_nothing_from_a_language_model(tmp_path: Path) -> None:
    factory = SearchFactory(TOKENS, language_model=write_bigrams(tmp_path / "lm.npz"))
    search = factory.open(ScriptedJoint(), SearchOptions(lm_bonus=0.0))
    search.advance(frames([5.0, 4.0, 4.0, 4.0]))
    assert search.hypothesis().token_ids == ()
    generous = factory.open(ScriptedJoint(), SearchOptions(lm_bonus=2.0))
    generous.advance(frames([5.0, 4.0, 4.0, 4.0]))
    assert search.fork(ScriptedJoint()).hypothesis() == search.hypothesis()
    assert TOKENS.decode(generous.hypothesis().token_ids) == "on"


def test_trailing_blanks() -> None:
    assert EMPTY.trailing_blanks == 0
    assert Hypothesis(num_frames=7).trailing_blanks == 7
    assert Hypothesis((1, 2), (3, 6), (0.0, 0.0), 7).trailing_blanks == 0
    assert Hypothesis((1, 2), (3, 5), (0.0, 0.0), 9).trailing_blanks == 3


def test_the_same_hotwords_are_prepared_once(caplog: pytest.LogCaptureFixture) -> None:
    options = SearchOptions(hotwords=(Hotword("kitchen"),))
    with caplog.at_level(logging.DEBUG):
        FACTORY.open(ScriptedJoint(), options)
        FACTORY.open(ScriptedJoint(), options)
    assert len(caplog.records) == 1
