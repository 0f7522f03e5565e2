import io
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer

from wyoming_stt.errors import ModelFileError
from wyoming_stt.text.phrase import PhraseEncoder
from wyoming_stt.text.tokens import TokenTable

TOKENS = TokenTable(
    ("<blk>", "<sos/eos>", "<unk>", "▁", *"abcdeTURN", "▁turn", "▁on", "▁a", "bc", "▁TURN")
)
SENTENCES = ("turn on the kitchen light please", "turn off the lamp in the kitchen")


@cache
def bpe_model() -> bytes:
    model = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 20),
        model_writer=model,
        model_type="bpe",
        vocab_size=44,
        minloglevel=2,
    )
    return model.getvalue()


def pieces_of(phrase: str, tokens: TokenTable = TOKENS) -> list[str] | None:
    token_ids = PhraseEncoder(tokens, None).encode(phrase)
    return None if token_ids is None else [tokens.pieces[token_id] for token_id in token_ids]


@pytest.mark.parametrize(
    ("phrase", "pieces"),
    [
        ("turn on", ["▁turn", "▁on"]),
        ("  turn \t on\n", ["▁turn", "▁on"]),
        ("abc", ["▁a", "bc"]),
        ("abcbc", ["▁a", "bc", "bc"]),
        ("TURN", ["▁TURN"]),
        ("Turn", ["▁TURN"]),
        ("Turn ON", ["▁turn", "▁on"]),
        ("dEaD", ["▁", "d", "e", "a", "d"]),
        ("turn zzz", None),
        ("", None),
        (" \t ", None),
        ("<blk>", None),
        ("<unk>", None),
        ("on <unk>", None),
    ],
)
def test_without_rules_the_fewest_pieces_win(phrase: str, pieces: list[str] | None) -> None:
    assert pieces_of(phrase) == pieces


@given(st.text("abcde ", max_size=20))
def test_a_spelling_says_the_phrase(phrase: str) -> None:
    token_ids = PhraseEncoder(TOKENS, None).encode(phrase)
    assert TOKENS.decode(token_ids or ()) == " ".join(phrase.split())


@given(st.text("abc", min_size=1, max_size=8))
def test_no_spelling_is_shorter(phrase: str) -> None:
    def fewest(rest: str) -> int:
        heads = [rest[:size] for size in range(1, len(rest) + 1)]
        return min(
            (1 + fewest(rest[len(head) :]) for head in heads if TOKENS.id_of(head) is not None),
            default=0 if not rest else 99,
        )

    assert len(PhraseEncoder(TOKENS, None).encode(phrase) or ()) == fewest("▁" + phrase)


def test_with_rules_the_spelling_is_sentencepieces(tmp_path: Path) -> None:
    path = tmp_path / "bpe.model"
    path.write_bytes(bpe_model())
    processor = SentencePieceProcessor(model_proto=bpe_model())
    pieces = [processor.id_to_piece(i) for i in range(processor.vocab_size())]
    # In another order than sentencepiece's: ids are those of `tokens.txt`.
    tokens = TokenTable(("<blk>", *reversed(pieces)))
    encoder = PhraseEncoder(tokens, path)
    for phrase in (*SENTENCES, "light", "kitchen lamp", "tulip"):
        token_ids = encoder.encode(phrase)
        assert token_ids is not None
        assert [tokens.pieces[i] for i in token_ids] == processor.encode(phrase, out_type=str)
    assert encoder.encode("TURN ON") == encoder.encode("turn on")
    for phrase in ("", "中", "turn on 中", "<unk>", "<s>"):
        assert encoder.encode(phrase) is None


def test_a_piece_that_the_model_lacks_cannot_be_spelled(tmp_path: Path) -> None:
    path = tmp_path / "bpe.model"
    path.write_bytes(bpe_model())
    assert PhraseEncoder(TokenTable(("<blk>", "▁", "t")), path).encode("turn") is None


def test_bad_rules_are_named(tmp_path: Path) -> None:
    path = tmp_path / "bpe.model"
    with pytest.raises(ModelFileError, match="expected a sentencepiece model, found") as caught:
        PhraseEncoder(TOKENS, path)
    assert caught.value.path == path
    path.write_text("nothing of the kind")
    with pytest.raises(ModelFileError, match="expected a sentencepiece model, found"):
        PhraseEncoder(TOKENS, path)
