"""The model that ships inside: it is whole, it is small, and it understands what it should."""

import csv
import hashlib
from pathlib import Path

import pytest

from wyoming_stt.audio.gate import VadOptions
from wyoming_stt.audio.media import MediaReader
from wyoming_stt.choice import BUILTIN, DEFAULT_MODEL
from wyoming_stt.model_sources import in_package
from wyoming_stt.models.base import Recognizer
from wyoming_stt.session import Session, UtteranceOptions
from wyoming_stt.settings import Settings
from wyoming_stt.store import Catalog

SPOKEN = Path(__file__).parents[1] / "data" / "spoken"
FOLDER = BUILTIN / DEFAULT_MODEL
MOST_BYTES = 6_000_000

with (SPOKEN / "words.tsv").open(encoding="utf-8") as _table:
    RECORDINGS = list(csv.DictReader(_table, delimiter="\t"))


@pytest.fixture(scope="module")
def model() -> Recognizer:
    return in_package(FOLDER, ("en",), Settings()).load()


def test_it_is_what_the_catalogue_says() -> None:
    spec = Catalog.read().find(DEFAULT_MODEL)
    assert spec.inside
    files = {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.name != "MODEL.md"}
    assert {remote.path: remote.sha256 for remote in spec.files} == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items()
    }
    assert {remote.path: remote.size for remote in spec.files} == {
        name: len(content) for name, content in files.items()
    }


def test_it_is_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= MOST_BYTES


def test_its_facts(model: Recognizer) -> None:
    spec = Catalog.read().find(DEFAULT_MODEL)
    assert (model.info.name, model.info.streaming) == (DEFAULT_MODEL, True)
    assert (model.info.family, model.info.languages) == (spec.family, spec.languages)
    assert model.info.version == spec.version
    assert (
        model.info.sha256 == hashlib.sha256((FOLDER / "encoder.int8.onnx").read_bytes()).hexdigest()
    )
    assert model.info.chunk_samples <= 0.32 * 16_000


def test_there_are_ten_recordings_and_people_among_them() -> None:
    assert len(RECORDINGS) == 10
    assert any(row["speaker"] == "a person" for row in RECORDINGS)
    assert {row["file"] for row in RECORDINGS} == {path.name for path in SPOKEN.glob("*.ogg")}


@pytest.mark.parametrize("row", RECORDINGS, ids=lambda row: row["file"])
def test_it_understands(model: Recognizer, row: dict[str, str]) -> None:
    media = MediaReader(SPOKEN / row["file"])
    session = Session(model, UtteranceOptions(media.format, vad=VadOptions(kind="off")))
    events = [event for pcm in media for event in session.accept(pcm)]
    assert [*events, *session.finish()][-1].text == row["words"]
