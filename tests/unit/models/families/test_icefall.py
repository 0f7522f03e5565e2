from pathlib import Path

import onnx
import pytest

from tests.support.onnx_models import build
from wyoming_stt.errors import ModelFileError
from wyoming_stt.models.families.icefall import StreamingFamily
from wyoming_stt.ort import OrtOptions

ZIPFORMER2 = StreamingFamily("zipformer2")


def say(folder: Path, key: str, value: str) -> None:
    path = folder / "encoder.onnx"
    model = onnx.load(path)
    model.metadata_props.add(key=key, value=value)
    onnx.save(model, path)


def test_it_takes_its_own_kind_only(tmp_path: Path) -> None:
    build("zipformer2", tmp_path / "own")
    build("zipformer", tmp_path / "other")
    build("offline-zipformer2", tmp_path / "offline")
    assert ZIPFORMER2.matches(tmp_path / "own")
    assert not ZIPFORMER2.matches(tmp_path / "other")
    assert not ZIPFORMER2.matches(tmp_path / "offline")
    assert not ZIPFORMER2.matches(None)


def test_other_features_are_an_error(tmp_path: Path) -> None:
    say(build("zipformer2", tmp_path), "feature", "whisper")
    assert ZIPFORMER2.matches(tmp_path)
    with pytest.raises(ModelFileError, match="Kaldi fbank features, found feature=whisper"):
        ZIPFORMER2.load(tmp_path, languages=["en"], options=OrtOptions())
