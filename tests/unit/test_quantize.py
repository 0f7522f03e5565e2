"""Only matrix products change, the model stays one, and nothing is overwritten."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import pytest
from typer.testing import CliRunner

from tests.support.onnx_models import build
from tests.support.program import write_recording
from wyoming_stt.cli.main import app
from wyoming_stt.errors import ModelFileError, SettingsError
from wyoming_stt.models.registry import load_model
from wyoming_stt.quantize import quantize


def operators(graph: Path) -> Counter[str]:
    return Counter(node.op_type for node in onnx.load(graph).graph.node)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("zipformer2", tmp_path_factory.mktemp("model") / "float")


def test_products_shrink_and_convolutions_stay(source: Path, tmp_path: Path) -> None:
    files = quantize(source, tmp_path / "small")
    before, after = (
        operators(source / "encoder.onnx"),
        operators(tmp_path / "small/encoder.int8.onnx"),
    )
    assert after["MatMulInteger"] > 0
    assert after["Conv"] == before["Conv"] > 0
    assert after["ConvInteger"] == 0
    encoder = files[0]
    assert encoder.name == "encoder.int8.onnx"
    assert encoder.bytes_after < encoder.bytes_before


def test_each_channel_has_a_scale_of_its_own(source: Path, tmp_path: Path) -> None:
    quantize(source, tmp_path / "small")
    weights = onnx.load(tmp_path / "small" / "encoder.int8.onnx").graph.initializer
    scales = [w for w in weights if w.name.endswith("_scale") and len(w.dims) == 1]
    assert any(w.dims[0] > 1 for w in scales)


def test_a_small_joiner_and_the_decoder_stay_in_float(source: Path, tmp_path: Path) -> None:
    quantize(source, tmp_path / "small")
    for name in ("joiner.onnx", "decoder.onnx", "tokens.txt"):
        assert (tmp_path / "small" / name).read_bytes() == (source / name).read_bytes()


def test_the_joiner_of_a_large_vocabulary_shrinks(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wyoming_stt.quantize.LARGE_VOCABULARY", 60)  # as many as it has
    quantize(source, tmp_path / "small")
    assert operators(tmp_path / "small" / "joiner.int8.onnx")["MatMulInteger"] > 0


@pytest.mark.parametrize("family", ["zipformer2", "conformer", "lstm"])
def test_the_result_is_a_model_of_the_same_family(family: str, tmp_path: Path) -> None:
    source = build(family, tmp_path / "float")
    quantize(source, tmp_path / "small", reduce_range=True)
    small = load_model(tmp_path / "small", languages=["en"])
    whole = load_model(source, languages=["en"])
    assert small.info.family == whole.info.family == family
    assert small.info.chunk_samples == whole.info.chunk_samples


def test_nothing_is_overwritten(source: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(SettingsError, match="exists already"):
        quantize(source, tmp_path / "there")


def test_a_model_that_is_small_already_is_refused_and_nothing_left(
    source: Path, tmp_path: Path
) -> None:
    quantize(source, tmp_path / "small")
    with pytest.raises(ModelFileError, match="quantised already"):
        quantize(tmp_path / "small", tmp_path / "smaller")
    assert [path.name for path in tmp_path.iterdir()] == ["small"]


def test_a_file_that_is_no_graph_is_named(tmp_path: Path) -> None:
    broken = build("zipformer2", tmp_path / "broken")
    (broken / "encoder.onnx").write_bytes(np.random.default_rng(0).bytes(5000))
    with pytest.raises(ModelFileError, match=r"encoder\.onnx: expected"):
        quantize(broken, tmp_path / "small")


def test_a_file_that_would_be_copied_is_looked_at_too(tmp_path: Path) -> None:
    broken = build("zipformer2", tmp_path / "broken")
    (broken / "joiner.onnx").write_bytes(b"")
    with pytest.raises(ModelFileError, match=r"joiner\.onnx: expected"):
        quantize(broken, tmp_path / "small")
    assert not (tmp_path / "small").exists()


def test_weights_in_files_of_their_own_come_along(source: Path, tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.mkdir()
    for path in source.iterdir():
        (large / path.name).write_bytes(path.read_bytes())
    for graph in large.glob("*.onnx"):
        onnx.save(
            onnx.load(graph),
            graph,
            save_as_external_data=True,
            location=f"{graph.name}.data",
            size_threshold=64,  # shapes have to be in the graph
        )
    files = quantize(large, tmp_path / "small")
    assert not list((tmp_path / "small").glob("*.data"))
    assert all(file.bytes_before > 1000 for file in files if file.name.endswith(".onnx"))
    assert files[0].bytes_after < files[0].bytes_before
    assert load_model(tmp_path / "small", languages=["en"]).info.precision == "int8"


def test_a_recording_that_is_missing_is_named_before_the_work(source: Path, tmp_path: Path) -> None:
    table = tmp_path / "manifest.tsv"
    table.write_text("file\ttranscript\nnowhere.ogg\tturn on the lamp\n", encoding="utf-8-sig")
    arguments = ["quantize", str(source), str(tmp_path / "small"), "--manifest", str(table)]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, SettingsError)
    assert "names" in str(result.exception)
    assert "nowhere.ogg, which is not there" in str(result.exception)
    assert not (tmp_path / "small").exists()


def test_the_command_compares_word_error_rates(source: Path, tmp_path: Path) -> None:
    write_recording(tmp_path / "a.wav")
    table = tmp_path / "manifest.tsv"
    table.write_text("file\ttranscript\na.wav\tturn on the lamp\n", encoding="utf-8")
    arguments = ["quantize", str(source), str(tmp_path / "small"), "--manifest", str(table)]
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    answer = json.loads(result.output.splitlines()[-1])
    assert answer["wer_before"] > 0
    assert answer["wer_after"] > 0
    assert answer["files"][0]["name"] == "encoder.int8.onnx"
