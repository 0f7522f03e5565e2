"""Words with times and confidences out of tokens with frames and log-probabilities."""

import math
from collections.abc import Sequence

from wyoming_stt.decoding.hypothesis import Hypothesis
from wyoming_stt.events import Word
from wyoming_stt.text.tokens import TokenTable

__all__ = ["confidence", "group"]


def group(hypothesis: Hypothesis, tokens: TokenTable, frame_samples: int) -> tuple[Word, ...]:
    """Split a hypothesis at word starts; positions count from the stream's first sample.

    A word starts at the frame that emitted its first token and ends with the frame that emitted
    its last: a transducer says when a token begins, never how long it lasts.
    """
    if not hypothesis.token_ids:
        return ()
    starts = [i for i, t in enumerate(hypothesis.token_ids) if i == 0 or tokens.starts_word(t)]
    words: list[Word] = []
    for first, after in zip(starts, [*starts[1:], len(hypothesis.token_ids)], strict=True):
        text = tokens.decode(hypothesis.token_ids[first:after]).strip()
        if not text:
            continue
        words.append(
            Word(
                text=text,
                start=hypothesis.frames[first] * frame_samples,
                end=(hypothesis.frames[after - 1] + 1) * frame_samples,
                confidence=confidence(hypothesis.log_probs[first:after]),
            )
        )
    return tuple(words)


def confidence(log_probs: Sequence[float]) -> float:
    """Geometric mean of the tokens' probabilities; 0 for no tokens."""
    return math.exp(math.fsum(log_probs) / len(log_probs)) if log_probs else 0.0
