"""Choose and prepare the search of an utterance."""

import logging
from functools import lru_cache
from pathlib import Path
from typing import Protocol, Self

from wyoming_stt.decoding.beam import BeamSearch, Fusion
from wyoming_stt.decoding.context_graph import ContextGraph
from wyoming_stt.decoding.greedy import GreedySearch
from wyoming_stt.decoding.hypothesis import Hypothesis
from wyoming_stt.decoding.joint import Joint, Logits
from wyoming_stt.decoding.ngram import NgramModel
from wyoming_stt.decoding.options import Hotword, SearchOptions
from wyoming_stt.text.phrase import PhraseEncoder
from wyoming_stt.text.tokens import TokenTable

__all__ = ["Search", "SearchFactory"]

_CACHED_GRAPHS = 8
"""A home sends the same names with every utterance; two thousand of them take 0.1 s to spell."""

_CACHED_FUSIONS = 2
"""Each with the scale and the bonus of its own, and with what it keeps."""

_LOGGER = logging.getLogger(__name__)


class Search(Protocol):
    """Frames in, the best hypothesis out; private to one utterance."""

    def advance(self, encoder_out: Logits) -> None:
        """Search through encoder frames, shape (T, D)."""
        ...

    def finish(self) -> None:
        """Settle what depends on there being no more audio."""
        ...

    def hypothesis(self) -> Hypothesis:
        """Return the best token sequence so far."""
        ...

    def fork(self, joint: Joint) -> Self:
        """Copy the search; the copy scores with `joint`."""
        ...


class SearchFactory:
    """Makes the searches of one model; spells hotwords in its vocabulary.

    Raises:
        ModelFileError: the language model is damaged, or another model's.
    """

    def __init__(
        self, tokens: TokenTable, bpe_model: Path | None = None, language_model: Path | None = None
    ) -> None:
        self._tokens = tokens
        self._bpe_model = bpe_model
        self._lm = NgramModel(language_model, len(tokens)) if language_model else None
        self._encoder: PhraseEncoder | None = None
        self._graph = lru_cache(_CACHED_GRAPHS)(self._build)
        self._fusion = lru_cache(_CACHED_FUSIONS)(self._fuse)

    def open(self, joint: Joint, options: SearchOptions) -> Search:
        """Begin the search that the options ask for."""
        graph = self._graph(options.hotwords, options.hotwords_score) if options.hotwords else None
        silent = tuple(token for token in (joint.blank_id, joint.unk_id) if token >= 0)
        fusion = self._fusion(options.lm_scale, options.lm_bonus, silent)
        if options.method == "beam" or (options.method == "auto" and (graph or fusion)):
            return BeamSearch(
                joint,
                max_active_paths=(options.lm_active_paths if fusion else options.max_active_paths),
                blank_penalty=options.blank_penalty,
                graph=graph,
                fusion=fusion,
            )
        return GreedySearch(joint, blank_penalty=options.blank_penalty, graph=graph)

    def _fuse(self, scale: float, bonus: float, silent: tuple[int, ...]) -> Fusion | None:
        if self._lm is None or scale <= 0:
            return None
        return Fusion(self._lm, scale=scale, bonus=bonus, silent=silent)

    def _build(self, hotwords: tuple[Hotword, ...], default_score: float) -> ContextGraph | None:
        phrases = []
        for hotword in hotwords:
            token_ids = self._spell(hotword)
            if token_ids is None:
                _LOGGER.debug("a hotword cannot be spelled in this vocabulary: %r", hotword.phrase)
                continue
            score = default_score if hotword.score is None else hotword.score
            phrases.append((token_ids, score))
        return ContextGraph(phrases) if phrases else None

    def _spell(self, hotword: Hotword) -> list[int] | None:
        if self._encoder is None:
            self._encoder = PhraseEncoder(self._tokens, self._bpe_model)
        return self._encoder.encode(hotword.phrase)
