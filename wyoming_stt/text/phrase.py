"""From a phrase, as a person writes it, to the token ids a model would emit for it."""

from pathlib import Path
from typing import Any

from wyoming_stt.errors import ModelFileError
from wyoming_stt.text.tokens import WORD_START, TokenTable

__all__ = ["PhraseEncoder"]


class PhraseEncoder:
    """Spells phrases in a model's pieces.

    With the model's own `bpe.model` the spelling is the one it was trained on. Without it, the
    spelling with the fewest pieces is used, which is the same for most words.
    """

    def __init__(self, tokens: TokenTable, bpe_model: Path | None) -> None:
        """Load the spelling rules.

        Raises:
            ModelFileError: `bpe_model` is missing or no sentencepiece model.
        """
        self._tokens = tokens
        self._longest = max(map(len, tokens.pieces), default=0)
        self._processor = _load(bpe_model)

    def encode(self, phrase: str) -> list[int] | None:
        """Spell a phrase; None when the vocabulary cannot, in any letter case."""
        text = " ".join(phrase.split())
        if not text:
            return None
        variants = (self._spell(variant) for variant in (text, text.upper(), text.lower()))
        return next((token_ids for token_ids in variants if token_ids), None)

    def _spell(self, text: str) -> list[int] | None:
        if self._processor is not None:
            pieces: list[str] = self._processor.encode(text, out_type=str)
            ids = [self._id(piece) for piece in pieces]
            return None if None in ids else [i for i in ids if i is not None]
        return self._fewest(WORD_START + text.replace(" ", WORD_START))

    def _fewest(self, text: str) -> list[int] | None:
        """Shortest path over the vocabulary: `best[k]` spells the first k characters."""
        best: list[list[int] | None] = [[]] + [None] * len(text)
        for end in range(1, len(text) + 1):
            for start in range(max(0, end - self._longest), end):
                head, token_id = best[start], self._id(text[start:end])
                if head is None or token_id is None:
                    continue
                tail = best[end]
                if tail is None or len(head) + 1 < len(tail):
                    best[end] = [*head, token_id]
        return best[-1]

    def _id(self, piece: str) -> int | None:
        """Find a piece that can be written: `<unk>` in a phrase is not the token of that name."""
        token_id = self._tokens.id_of(piece)
        return None if token_id is None or self._tokens.is_control(token_id) else token_id


def _load(bpe_model: Path | None) -> Any:
    if bpe_model is None:
        return None
    # Imported here: a server without hotwords never pays for it.
    from sentencepiece import SentencePieceProcessor  # noqa: PLC0415

    try:
        return SentencePieceProcessor(model_file=str(bpe_model))
    except (OSError, RuntimeError) as error:
        raise ModelFileError(bpe_model, "a sentencepiece model", str(error)) from error
