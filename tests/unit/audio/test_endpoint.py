import pytest

from wyoming_stt.audio.endpoint import (
    SENSITIVITY_SILENCE_S,
    Endpointer,
    EndpointOptions,
    EndpointRule,
)
from wyoming_stt.events import Endpoint

SECOND = 16_000


@pytest.mark.parametrize(
    ("position_s", "speech_end_s", "rule"),
    [
        (0.0, None, None),
        (2.39, None, None),
        (2.4, None, "nothing-said"),
        (2.0, 1.0, None),
        (2.2, 1.0, "speech-ended"),
        (3.0, 3.0, None),
        (19.99, 19.9, None),
        (20.0, 19.9, "too-long"),
    ],
)
def test_defaults_are_the_three_known_rules(
    position_s: float, speech_end_s: float | None, rule: str | None
) -> None:
    speech_end = None if speech_end_s is None else round(speech_end_s * SECOND)
    position = round(position_s * SECOND)
    endpoint = Endpointer(EndpointOptions()).update(position, speech_end)
    assert endpoint == (None if rule is None else Endpoint(position, rule))


@pytest.mark.parametrize("sensitivity", SENSITIVITY_SILENCE_S)
def test_sensitivity_sets_the_silence_after_speech(sensitivity: str) -> None:
    endpointer = Endpointer(EndpointOptions.from_sensitivity(sensitivity))
    due = SECOND + round(SENSITIVITY_SILENCE_S[sensitivity] * SECOND)
    assert endpointer.update(due - 1, SECOND) is None
    assert endpointer.update(due, SECOND) == Endpoint(due, "speech-ended")


def test_an_unknown_sensitivity_is_an_error() -> None:
    with pytest.raises(KeyError):
        EndpointOptions.from_sensitivity("eager")


def test_all_parts_of_a_rule_must_hold() -> None:
    rule = EndpointRule("long-and-quiet", True, 1.0, 5.0)
    assert not rule.holds(6 * SECOND, None)
    assert not rule.holds(4 * SECOND, 1 * SECOND)
    assert not rule.holds(6 * SECOND, 5 * SECOND + 1)
    assert rule.holds(6 * SECOND, 5 * SECOND)


def test_no_rules_never_end() -> None:
    assert Endpointer(EndpointOptions(rules=())).update(10**9, 0) is None
