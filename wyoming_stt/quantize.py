"""Make a model small: weights of matrix products as 8-bit integers, all else as it was.

Only `MatMul` and `Gemm` are quantised, each output channel with a scale of its own. Convolutions
stay in float: quantised with scales that are found anew at every call, they are slower than before,
and words get lost (for GigaAM twice as many as with matrix products alone, on a half-hour meeting).
The decoder stays, since it is an embedding of a few hundred pieces; so does the joiner of a small
vocabulary, which is cheap in float and decides between words that are close.
"""

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from wyoming_stt.errors import ModelFileError, SettingsError
from wyoming_stt.models.files import find
from wyoming_stt.models.joint import JointWeights
from wyoming_stt.ort import OrtModel, OrtOptions
from wyoming_stt.text.tokens import TokenTable

__all__ = ["Quantized", "quantize"]

LARGE_VOCABULARY: Final = 4000
"""From here on the joiner's last product is worth the loss: 8000 outputs cost as much as 25 encoder
layers of a small model."""

_QUANTIZED_OPS: Final = frozenset({"MatMulInteger", "DynamicQuantizeLinear", "QLinearMatMul"})


@dataclass(frozen=True, slots=True)
class Quantized:
    """One file of the model, before and after."""

    name: str
    """Of the result."""
    bytes_before: int
    bytes_after: int


def quantize(source: Path, target: Path, *, reduce_range: bool = False) -> list[Quantized]:
    """Write a quantised copy of a model's folder.

    Args:
        source: Folder of a transducer in float.
        target: Folder to make.
        reduce_range: Use 7 bits: x86 processors without VNNI add pairs of 8-bit products in 16 bits
            and lose what does not fit.

    Raises:
        SettingsError: `target` exists, or the package `onnx` is not installed.
        ModelFileError: `source` is no transducer, or is quantised already.
        OSError: `target` cannot be written.
    """
    if find_spec("onnx") is None:
        raise SettingsError(
            "quantising needs the package onnx, which is not installed: "
            "pip install 'wyoming-stt[quantize]'"
        )
    if target.exists():
        raise SettingsError(f"{target} exists already; nothing is overwritten")
    files = find(source, prefer_int8=False)
    # These name what is wrong with a file; `onnx` would only stumble, or copy it as it is.
    OrtModel(files.encoder, OrtOptions())
    tokens = TokenTable.read(files.tokens)
    JointWeights(files, tokens, OrtOptions())
    unfinished = target.with_name(f".{target.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        result = [
            _convert(files.encoder, source, unfinished, reduce_range=reduce_range),
            _keep_graph(files.decoder, source, unfinished),
        ]
        if len(tokens) >= LARGE_VOCABULARY:
            result.append(_convert(files.joiner, source, unfinished, reduce_range=reduce_range))
        else:
            result.append(_keep_graph(files.joiner, source, unfinished))
        others = (files.tokens, files.bpe_model, files.language_model)
        result += [_keep(file, source, unfinished) for file in others if file]
        unfinished.rename(target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return result


def _convert(graph: Path, source: Path, folder: Path, *, reduce_range: bool) -> Quantized:
    import onnx  # noqa: PLC0415
    from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415

    nodes = onnx.load(graph, load_external_data=False).graph.node
    if any(node.op_type in _QUANTIZED_OPS for node in nodes):
        raise ModelFileError(graph, "weights in float", "a graph that is quantised already")
    target = _place(graph.with_suffix(".int8.onnx"), source, folder)
    with _without_advice():
        quantize_dynamic(
            graph,
            target,
            op_types_to_quantize=["MatMul", "Gemm"],
            per_channel=True,
            reduce_range=reduce_range,
            weight_type=QuantType.QInt8,
        )
    return _measure(graph, target)


def _keep_graph(graph: Path, source: Path, folder: Path) -> Quantized:
    """Copy a graph; weights that are in files of their own come into it."""
    import onnx  # noqa: PLC0415

    if not _weights_beside(graph):
        return _keep(graph, source, folder)
    target = _place(graph, source, folder)
    onnx.save(onnx.load(graph), target)
    return _measure(graph, target)


def _keep(file: Path, source: Path, folder: Path) -> Quantized:
    target = _place(file, source, folder)
    shutil.copyfile(file, target)
    return _measure(file, target)


def _place(file: Path, source: Path, folder: Path) -> Path:
    target = folder / file.relative_to(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _measure(before: Path, after: Path) -> Quantized:
    files = (before, *(_weights_beside(before) if before.suffix == ".onnx" else ()))
    return Quantized(after.name, sum(file.stat().st_size for file in files), after.stat().st_size)


def _weights_beside(graph: Path) -> set[Path]:
    """Files that hold weights of a graph which are too large for one file, or were put there."""
    import onnx  # noqa: PLC0415

    tensors = onnx.load(graph, load_external_data=False).graph.initializer
    entries = (entry for tensor in tensors for entry in tensor.external_data)
    return {graph.parent / entry.value for entry in entries if entry.key == "location"}


@contextmanager
def _without_advice() -> Iterator[None]:
    """Keep onnxruntime from advising, on the root logger, a step that changes nothing here."""
    root = logging.getLogger()
    before, root.disabled = root.disabled, True
    try:
        yield
    finally:
        root.disabled = before
