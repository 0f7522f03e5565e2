import contextlib
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.onnx_models import FAMILIES
from wyoming_stt.errors import ModelFileError
from wyoming_stt.models.onnx_metadata import read_metadata


def written(folder: Path, contents: bytes) -> Path:
    path = folder / "encoder.onnx"
    path.write_bytes(contents)
    return path


def entry(key: bytes, value: bytes) -> bytes:
    """A field 14 by hand: keys and values shorter than 64 bytes."""
    message = b"\x0a" + bytes([len(key)]) + key + b"\x12" + bytes([len(value)]) + value
    return b"\x72" + bytes([len(message)]) + message


@pytest.mark.parametrize("family", FAMILIES)
def test_it_reads_what_onnx_wrote(family: str, built: Callable[[str], Path]) -> None:
    for path in built(family).glob("*.onnx"):
        model = onnx.load(path)
        expected = {prop.key: prop.value for prop in model.metadata_props}
        assert read_metadata(path) == expected
        assert expected


@settings(max_examples=30)
@given(st.dictionaries(st.text(max_size=9), st.text(max_size=300), max_size=5))
def test_any_text_is_read(
    tmp_path_factory: pytest.TempPathFactory, metadata: dict[str, str]
) -> None:
    model = onnx.ModelProto(ir_version=9, producer_name="x" * 200)
    onnx.helper.set_model_props(model, metadata)
    path = written(tmp_path_factory.getbasetemp(), model.SerializeToString())
    assert read_metadata(path) == metadata


def test_other_fields_are_stepped_over(tmp_path: Path) -> None:
    others = b"\x08\xff\x01" + b"\x11" + b"8 bytes." + b"\x1d" + b"four" + b"\x22\x05bytes"
    path = written(tmp_path, others + entry(b"T", b"45") + others)
    assert read_metadata(path) == {"T": "45"}


@pytest.mark.parametrize(
    "contents",
    [
        b"",
        b"not a model at all",
        b"\x72\x7f\x0a\x01T",
        b"\x0a\xff\xff\xff\xff\x0f",
        b"\x0a" + b"\xff" * 11,
        b"\x0a\xff",
        b"\x0a",
        b"\x0b",
        b"\x72\xff\xff\xff\x7f" + b"x" * 9,
        entry(b"T", b"\xff"),
        b"\x72\x03\x0a\x05T",
    ],
)
def test_what_is_no_model_is_named(tmp_path: Path, contents: bytes) -> None:
    path = written(tmp_path, contents)
    with pytest.raises(ModelFileError, match="expected an ONNX model, found something") as caught:
        read_metadata(path)
    assert caught.value.path == path


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "encoder.onnx", tmp_path):
        with pytest.raises(ModelFileError, match="expected an ONNX model, found nothing"):
            read_metadata(path)


@settings(max_examples=50)
@given(st.binary(max_size=60))
def test_any_file_is_a_model_or_a_named_error(
    tmp_path_factory: pytest.TempPathFactory, contents: bytes
) -> None:
    path = written(tmp_path_factory.getbasetemp(), contents)
    with contextlib.suppress(ModelFileError):
        read_metadata(path)


def test_a_model_cut_anywhere_is_never_another(tmp_path: Path) -> None:
    whole = entry(b"T", b"45") + b"\x08\x01" + entry(b"model_type", b"lstm")
    for length in range(len(whole)):
        path = written(tmp_path, whole[:length])
        with contextlib.suppress(ModelFileError):
            assert read_metadata(path).items() <= {"T": "45", "model_type": "lstm"}.items()
