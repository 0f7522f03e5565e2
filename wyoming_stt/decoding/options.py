"""How to search, and which phrases to favour."""

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Hotword", "SearchOptions"]


@dataclass(frozen=True, slots=True)
class Hotword:
    """A phrase to favour; `score` is added to each of its tokens, None for the default."""

    phrase: str
    score: float | None = None


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """Knobs of the transducer search; the defaults are those of sherpa-onnx."""

    method: Literal["auto", "greedy", "beam"] = "auto"
    """One best symbol a frame, or modified beam search over several token sequences. Auto is
    greedy, and beam as soon as there are hotwords, whose boosts bend a single path away from what
    was said and leave the better of several alone (`bench/hotwords.py`), or the model comes with a
    language model, which only beam search asks."""
    max_active_paths: int = 4
    """Token sequences kept by beam search."""
    blank_penalty: float = 0.0
    """Subtracted from the blank logit; above 0 the model deletes fewer words and inserts more."""
    lm_scale: float = 0.2
    """Weight of the model's language model, where it comes with one (`lm.npz`); 0 to do without."""
    lm_bonus: float = 0.8
    """Added for each token where there is a language model, which alone would favour few words."""
    lm_active_paths: int = 8
    """Token sequences kept instead of `max_active_paths` where there is a language model: what it
    favours later must outlive what the sound alone favours now."""
    min_confidence: float = 0.5
    """An utterance in which no word is likelier than this was noise, and comes back without words;
    0 to hear words in everything. Hotwords are unlikely by themselves: with them it is not
    asked."""
    hotwords_score: float = 1.5
    """Boost of a hotword that names none of its own."""
    hotwords: tuple[Hotword, ...] = field(default=())
    """Phrases to favour in this utterance."""
