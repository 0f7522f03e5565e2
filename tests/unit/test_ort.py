import copy
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto
from onnx.helper import make_graph, make_model, make_node, make_opsetid, make_tensor_value_info

from wyoming_stt.errors import ModelFileError
from wyoming_stt.ort import OrtModel, OrtOptions, TensorSpec, providers

ROOT = Path(__file__).parents[2]
METADATA = {"T": "45", "dims": "1,2,3", "word": "lstm", "empty": ""}


def write(path: Path, metadata: dict[str, str] | None = None) -> Path:
    """Sum and difference of two inputs, (N, 3) float32."""
    inputs, outputs = (
        [make_tensor_value_info(name, TensorProto.FLOAT, ["N", 3]) for name in names]
        for names in (("a", "b"), ("sum", "difference"))
    )
    nodes = [make_node("Add", ["a", "b"], ["sum"]), make_node("Sub", ["a", "b"], ["difference"])]
    model = make_model(
        make_graph(nodes, "arithmetic", inputs, outputs),
        opset_imports=[make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.helper.set_model_props(model, metadata or METADATA)
    onnx.save(model, path)
    return path


@pytest.fixture
def model(tmp_path: Path) -> OrtModel:
    return OrtModel(write(tmp_path / "model.onnx"), OrtOptions())


def row(*values: float) -> np.ndarray:
    return np.array([values], np.float32)


def test_the_outside_of_a_graph(model: OrtModel) -> None:
    assert model.inputs == (
        TensorSpec("a", (None, 3), np.float32),
        TensorSpec("b", (None, 3), np.float32),
    )
    assert [spec.name for spec in model.outputs] == ["sum", "difference"]
    assert dict(model.metadata) == METADATA
    assert model.inputs[0].zeros().shape == (1, 3)
    assert model.inputs[0].zeros(batch=7).shape == (7, 3)
    assert TensorSpec("counter", (None,), np.int64).zeros().dtype == np.int64


def test_a_call_takes_and_returns_in_the_graphs_order(model: OrtModel) -> None:
    total, difference = model.run(row(5, 6, 7), row(1, 2, 3))
    assert total.tolist() == [[6, 8, 10]]
    assert difference.tolist() == [[4, 4, 4]]
    with pytest.raises(ValueError, match="shorter"):
        model.run(row(1, 2, 3))


def test_a_bound_call_reads_and_writes_the_arrays_themselves(model: OrtModel) -> None:
    a, b, total, difference = (row(0, 0, 0) for _ in range(4))
    call = model.bind([a, b], [total, difference])
    for value in (1.0, 2.0):
        a[:] = value
        call()
        assert total.tolist() == difference.tolist() == [[value] * 3]


def test_bound_calls_keep_their_arrays_alive(model: OrtModel) -> None:
    total, difference = row(0, 0, 0), row(0, 0, 0)
    call = model.bind([row(1, 2, 3), row(4, 5, 6)], [total, difference])
    call()
    assert total.tolist() == [[5, 7, 9]]


def test_a_bound_call_cannot_be_copied(model: OrtModel) -> None:
    arrays = [row(0, 0, 0) for _ in range(4)]
    with pytest.raises(TypeError, match="bind anew"):
        copy.copy(model.bind(arrays[:2], arrays[2:]))


def test_integers_in_metadata(model: OrtModel) -> None:
    assert model.metadata_int("T") == 45
    assert model.metadata_ints("dims") == [1, 2, 3]
    with pytest.raises(ModelFileError, match="metadata 'S', found only T, dims, empty, word"):
        model.metadata_int("S")
    for key in ("word", "empty"):
        with pytest.raises(ModelFileError, match=f"integers in metadata '{key}', found"):
            model.metadata_int(key)


def test_a_missing_graph_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="expected an ONNX file, found nothing"):
        OrtModel(tmp_path / "model.onnx", OrtOptions())


def test_a_damaged_graph_is_named_in_one_line(tmp_path: Path) -> None:
    path = write(tmp_path / "model.onnx")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ModelFileError, match="expected a loadable ONNX model") as caught:
        OrtModel(path, OrtOptions())
    assert caught.value.path == path
    assert "\n" not in str(caught.value)


def test_weights_beside_a_linked_graph_are_found(tmp_path: Path) -> None:
    stored, linked = tmp_path / "stored", tmp_path / "linked"
    stored.mkdir()
    linked.mkdir()
    weight = onnx.numpy_helper.from_array(np.full(999, 2, np.float32), "weight")
    value = make_tensor_value_info("x", TensorProto.FLOAT, [999])
    out = make_tensor_value_info("y", TensorProto.FLOAT, [999])
    graph = make_graph([make_node("Mul", ["x", "weight"], ["y"])], "g", [value], [out], [weight])
    onnx.save(
        make_model(graph, opset_imports=[make_opsetid("", 17)], ir_version=8),
        stored / "model.onnx",
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=0,
    )
    (linked / "model.onnx").symlink_to(stored / "model.onnx")
    model = OrtModel(linked / "model.onnx", OrtOptions())
    assert model.run(np.ones(999, np.float32))[0].tolist() == [2.0] * 999


def test_the_processor_is_always_there() -> None:
    assert "CPUExecutionProvider" in providers()


def test_nothing_is_reported_to_anybody(tmp_path: Path) -> None:
    """Onnxruntime would keep a database of its use in the user's cache, to send it home."""
    code = "import time; from wyoming_stt.ort import providers; providers(); time.sleep(0.5)"
    environment = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "PATH": os.defpath}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, cwd=ROOT)
    assert list(tmp_path.iterdir()) == []
