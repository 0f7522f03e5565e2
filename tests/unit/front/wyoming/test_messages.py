from typing import Any

import pytest
from pydantic import BaseModel
from wyoming.event import Event

from wyoming_stt.errors import BadRequestError
from wyoming_stt.front.wyoming.messages import (
    ChunkFormat,
    PingData,
    SelectProgramData,
    TranscribeData,
    check,
)

FORMAT = {"rate": 16_000, "width": 2, "channels": 1}
HALF_A_PAIR = "\ud800"


@pytest.mark.parametrize(
    ("kind", "data", "field"),
    [
        (ChunkFormat, {}, "rate"),
        (ChunkFormat, FORMAT | {"rate": "16000"}, "rate"),
        (ChunkFormat, FORMAT | {"width": True}, "width"),
        (ChunkFormat, FORMAT | {"channels": 1.0}, "channels"),
        (ChunkFormat, FORMAT | {"channels": None}, "channels"),
        (SelectProgramData, {}, "name"),
        (SelectProgramData, {"name": 1}, "name"),
        (PingData, {"text": ["a"]}, "text"),
        (PingData, {"text": HALF_A_PAIR}, "text"),
        (TranscribeData, {"name": 7}, "name"),
        (TranscribeData, {"language": ["en"]}, "language"),
        (TranscribeData, {"language": HALF_A_PAIR}, "language"),
        (TranscribeData, {"context": "x"}, "context"),
        (TranscribeData, {"context": {"a": {"b": [HALF_A_PAIR]}}}, "context"),
        (TranscribeData, {"context": {HALF_A_PAIR: object()}}, "context"),
        (TranscribeData, {"vad_sensitivity": 0.5}, "vad_sensitivity"),
        (TranscribeData, {"transcript_names": "kitchen"}, "transcript_names"),
        (TranscribeData, {"transcript_names": {"kitchen": 1}}, "transcript_names"),
        (TranscribeData, {"transcript_terms": ["kitchen", None]}, "transcript_terms.1"),
        (TranscribeData, {"transcript_terms": [HALF_A_PAIR]}, "transcript_terms.0"),
    ],
)
def test_error_names_event_and_field(
    kind: type[BaseModel], data: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadRequestError) as caught:
        check(kind, Event("an-event", data))
    assert str(caught.value).startswith(f"an-event: {field}: ")
    str(caught.value).encode()


def test_context_nested_too_deep_for_an_answer() -> None:
    context: dict[str, Any] = {}
    for _ in range(900):
        context = {"secret": context}
    with pytest.raises(BadRequestError, match="context") as caught:
        check(TranscribeData, Event("transcribe", {"context": context}))
    assert "secret" not in str(caught.value)


def test_unknown_fields_are_of_a_later_protocol() -> None:
    assert check(ChunkFormat, Event("audio-start", FORMAT | {"codec": "pcm"})) == ChunkFormat(
        **FORMAT
    )


def test_error_does_not_repeat_what_was_sent() -> None:
    with pytest.raises(BadRequestError) as caught:
        check(TranscribeData, Event("transcribe", {"transcript_names": [{"secret": 1}]}))
    assert "secret" not in str(caught.value)
