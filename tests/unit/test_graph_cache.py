"""Optimised graphs: found when whole, made anew when not, in nobody's way when they cannot be."""

from pathlib import Path

import numpy as np
import pytest

from tests.support.onnx_models import build
from wyoming_stt import ort as ort_module
from wyoming_stt.graph_cache import MAX_GRAPHS, GraphCache
from wyoming_stt.models.registry import load_model
from wyoming_stt.ort import OrtModel, OrtOptions


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = build("zipformer2", tmp_path_factory.mktemp("model") / "small", seed=3)
    return next(folder.glob("encoder*.onnx"))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"a graph")
    return path


def outputs(encoder: OrtModel) -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    return encoder.run(
        *(
            rng.normal(size=spec.zeros().shape).astype(np.float32)
            if spec.dtype is np.float32
            else spec.zeros()
            for spec in encoder.inputs
        )
    )


def test_a_graph_from_the_cache_computes_the_same(encoder: Path, tmp_path: Path) -> None:
    options = OrtOptions(cache_dir=tmp_path)
    plain = OrtModel(encoder, OrtOptions())
    for model in (OrtModel(encoder, options), OrtModel(encoder, options)):
        assert model.metadata == plain.metadata
        assert (model.inputs, model.outputs) == (plain.inputs, plain.outputs)
        for ours, theirs in zip(outputs(model), outputs(plain), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    (entry,) = tmp_path.glob("*.onnx")
    assert entry.with_suffix(".sha256").is_file()


def test_the_second_load_does_not_optimise(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = OrtOptions(cache_dir=tmp_path)
    OrtModel(encoder, options)
    monkeypatch.setattr(ort_module, "_load", lambda *_: pytest.fail("optimised again"))
    OrtModel(encoder, options)


@pytest.mark.parametrize("at", [0.0, 0.3, 0.9])
def test_a_flipped_byte_is_noticed(encoder: Path, tmp_path: Path, at: float) -> None:
    options = OrtOptions(cache_dir=tmp_path)
    expected = outputs(OrtModel(encoder, options))
    (entry,) = tmp_path.glob("*.onnx")
    whole = entry.read_bytes()
    damaged = bytearray(whole)
    damaged[int(at * len(damaged))] ^= 1
    entry.write_bytes(damaged)
    for ours, theirs in zip(outputs(OrtModel(encoder, options)), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert entry.read_bytes() == whole


def test_an_entry_that_onnxruntime_refuses_is_made_anew(encoder: Path, tmp_path: Path) -> None:
    options = OrtOptions(cache_dir=tmp_path)
    cache = GraphCache(tmp_path)
    cache.store(encoder, ort_module._salt(options), lambda path: path.write_bytes(b"no graph"))
    OrtModel(encoder, options)
    (entry,) = tmp_path.glob("*.onnx")
    assert entry.stat().st_size > 1000


def test_another_model_or_version_is_another_entry(model: Path, tmp_path: Path) -> None:
    cache = GraphCache(tmp_path / "cache")
    cache.store(model, "1.0", lambda path: path.write_bytes(b"optimised"))
    assert cache.find(model, "1.0") is not None
    assert cache.find(model, "1.1") is None
    model.write_bytes(b"another graph")
    assert cache.find(model, "1.0") is None


def test_a_kill_before_the_sum_leaves_no_entry(model: Path, tmp_path: Path) -> None:
    cache = GraphCache(tmp_path / "cache")
    cache.store(model, "1.0", lambda path: path.write_bytes(b"optimised"))
    (checksum,) = (tmp_path / "cache").glob("*.sha256")
    checksum.unlink()
    assert cache.find(model, "1.0") is None
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_folder_that_cannot_be_is_no_trouble(encoder: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert OrtModel(encoder, OrtOptions(cache_dir=blocked / "cache")).inputs


def test_the_cache_is_bounded(model: Path, tmp_path: Path) -> None:
    cache = GraphCache(tmp_path / "cache")
    for number in range(MAX_GRAPHS + 6):
        cache.store(model, str(number), lambda path: path.write_bytes(b"optimised"))
    assert len(list((tmp_path / "cache").glob("*.onnx"))) == MAX_GRAPHS
    assert cache.find(model, str(MAX_GRAPHS + 5)) is not None


def test_a_whole_model_loads_through_the_cache(encoder: Path, tmp_path: Path) -> None:
    options = OrtOptions(cache_dir=tmp_path)
    first, second = (
        load_model(encoder.parent, languages=["en"], options=options) for _ in range(2)
    )
    assert first.info == second.info


def test_a_full_disk_is_no_trouble(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Onnxruntime then fails with an exception of its own, after it optimised the graph."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(GraphCache, "_entry", lambda *_: Path("/dev/full/graph.onnx"))
    assert OrtModel(encoder, OrtOptions(cache_dir=folder)).inputs
