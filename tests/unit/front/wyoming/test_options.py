from typing import Any

import pytest

from wyoming_stt.errors import SettingsError
from wyoming_stt.front.wyoming.options import WyomingOptions


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (WyomingOptions(), False),
        (WyomingOptions(endpointing=True), True),
        (WyomingOptions(requires_external_vad=False), True),
    ],
)
def test_somebody_ends_every_utterance(options: WyomingOptions, expected: bool) -> None:
    assert options.ends_utterances is expected


@pytest.mark.parametrize("bound", [{"max_connections": 0}, {"drain_s": 0.0}, {"max_names": -1}])
def test_bound_that_lets_nothing_through(bound: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=next(iter(bound))):
        WyomingOptions(**bound)


def test_scores_may_be_anything() -> None:
    assert WyomingOptions(names_score=0.0, terms_score=-1.0).terms_score == -1.0
