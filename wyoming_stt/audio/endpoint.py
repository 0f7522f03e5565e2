"""When has the speaker finished? Arithmetic on sample positions, nothing else."""

import dataclasses
from dataclasses import dataclass
from typing import Final, Self

from wyoming_stt.events import Endpoint
from wyoming_stt.types import SAMPLE_RATE

__all__ = ["SENSITIVITY_SILENCE_S", "EndpointOptions", "EndpointRule", "Endpointer"]

SENSITIVITY_SILENCE_S: Final = {"default": 0.7, "relaxed": 1.25, "aggressive": 0.25}
"""Wyoming's `vad_sensitivity` in seconds of silence after speech, as Home Assistant's own
voice detector takes it."""


@dataclass(frozen=True, slots=True)
class EndpointRule:
    """Holds when all its parts hold; durations in seconds."""

    name: str
    must_contain_speech: bool
    min_trailing_silence_s: float
    min_utterance_s: float

    def holds(self, position: int, speech_end: int | None) -> bool:
        """Apply the rule at sample `position`; `speech_end` is None while nothing was said."""
        silence = position - (speech_end or 0)
        return (
            (speech_end is not None or not self.must_contain_speech)
            and silence >= self.min_trailing_silence_s * SAMPLE_RATE
            and position >= self.min_utterance_s * SAMPLE_RATE
        )


@dataclass(frozen=True, slots=True)
class EndpointOptions:
    """Rules in order; the first that holds ends the utterance. Defaults are sherpa-onnx's."""

    rules: tuple[EndpointRule, ...] = (
        EndpointRule("nothing-said", False, 2.4, 0.0),
        EndpointRule("speech-ended", True, 1.2, 0.0),
        EndpointRule("too-long", False, 0.0, 20.0),
    )
    """Each with its name, whether something must have been said, and durations in seconds."""

    @classmethod
    def from_sensitivity(cls, sensitivity: str) -> Self:
        """Replace the silence after speech by Wyoming's `vad_sensitivity`.

        Raises:
            KeyError: a word that is not in `SENSITIVITY_SILENCE_S`.
        """
        silence_s = SENSITIVITY_SILENCE_S[sensitivity]
        nothing_said, speech_ended, too_long = cls().rules
        speech_ended = dataclasses.replace(speech_ended, min_trailing_silence_s=silence_s)
        return cls((nothing_said, speech_ended, too_long))


class Endpointer:
    """Asks the rules of one utterance until one of them holds."""

    def __init__(self, options: EndpointOptions) -> None:
        self._rules = options.rules

    def update(self, position: int, speech_end: int | None) -> Endpoint | None:
        """Tell where the audio has come to, and where its last word ended if there was one.

        Both are sample positions from the start of the utterance.
        """
        for rule in self._rules:
            if rule.holds(position, speech_end):
                return Endpoint(position, rule.name)
        return None
