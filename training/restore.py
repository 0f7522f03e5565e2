"""Read an exported model back into a student, so that a run can go on from what was shipped.

A checkpoint is large and lies in somebody's work folder; the exported model lies in the repository,
and eight bits a weight are enough to go on from. What is not exported, the heads for CTC and for
the teacher's frames, starts anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import sentencepiece
import torch
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, numpy_helper
from torch import Tensor, nn

from training.student import Block, Student, StudentConfig

__all__ = ["HEADS", "check_pieces", "config_of", "restore"]

HEADS = ("ctc", "teacher")
"""Parts of a student that are not exported."""
GROUPS = ("before", "inner", "after")
"""Of the encoder's blocks."""
RENAMED = {"student_joiner": "joiner"}
"""Parts whose names in the graphs are not the student's."""


def restore(folder: Path, config: StudentConfig | None = None) -> Student:
    """The student that was exported to `folder`.

    Args:
        folder: As `training.export` writes it.
        config: Its sizes; with more blocks than were exported, the new ones do nothing at first.
            None: as it was exported.

    Raises:
        ValueError: The folder holds another kind of model, or one of other sizes.
    """
    found = {
        name: value for path in folder.glob("*.onnx") for name, value in _weights(onnx.load(path))
    }
    student = Student(config or _config(found))
    state = student.state_dict()
    for name, value in found.items():
        if name not in state or state[name].shape != value.shape:
            raise ValueError(f"{folder}: {name} {tuple(value.shape)} has no place in the student")
    student.load_state_dict(state | found)
    new = [name for name in state if name not in found and name.split(".")[0] not in HEADS]
    for group in GROUPS:
        for number, block in enumerate(getattr(student.encoder, group)):
            prefix = f"encoder.{group}.{number}."
            if f"{prefix}position" in new:
                _silence(block)
                new = [name for name in new if not name.startswith(prefix)]
    if new:
        raise ValueError(f"{folder} lacks {', '.join(new[:3])}")
    return student


def config_of(source: Path) -> StudentConfig:
    """The sizes of the student in an exported folder or in a checkpoint."""
    if source.is_dir():
        return restore(source).config
    return StudentConfig(**torch.load(source, map_location="cpu", weights_only=True)["config"])


def _config(found: dict[str, Tensor]) -> StudentConfig:
    """The sizes of what was exported."""
    vocab_size, joiner_dim = found["predictor.embedding.weight"].shape
    dim, _, kernel = found["encoder.before.0.depthwise.weight"].shape
    before, inner, after = (
        sum(bool(re.fullmatch(rf"encoder\.{group}\.\d+\.position", name)) for name in found)
        for group in GROUPS
    )
    return StudentConfig(
        vocab_size=vocab_size,
        dim=dim,
        heads=len(found["encoder.before.0.position"]),
        kernel=kernel,
        outer_before=before,
        inner=inner,
        outer_after=after,
        joiner_dim=joiner_dim,
    )


def _silence(block: Block) -> None:
    """Let a block pass its input on: all it adds is multiplied by nothing, for now."""
    for layer in (block.feed_in[2], block.attended, block.convolved, block.feed_out[2]):
        if isinstance(layer, nn.Linear):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)


def _weights(model: ModelProto) -> Iterator[tuple[str, Tensor]]:
    """Names and values of a graph as the student has them."""
    arrays = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    made = {output: node for node in model.graph.node for output in node.output}
    for node in model.graph.node:
        block = re.fullmatch(r"/(\w+\.\d+)/Where", node.name)
        if block:
            (table,) = (arrays[i] for i in node.input if i in arrays and arrays[i].ndim == 3)
            yield f"encoder.{block[1]}.position", torch.from_numpy(_unfold(table))
        if node.op_type == "Add":
            for bias, other in (node.input, reversed(node.input)):
                product = made.get(other)
                if bias.endswith(".bias") and bias in arrays and product is not None:
                    weight = _matrix(product, arrays, made)
                    yield _name(bias.removesuffix("bias") + "weight"), torch.from_numpy(weight.T)
    for name, array in arrays.items():
        plain = name.removesuffix("_quantized")
        if re.fullmatch(r"[a-z_]+(\.\w+)*\.(weight|bias)", plain):
            yield _name(plain), torch.tensor(array if name == plain else _float(plain, arrays))


def _matrix(
    node: NodeProto, arrays: dict[str, NDArray[np.float32]], made: dict[str, NodeProto]
) -> NDArray[np.float32]:
    """The matrix that a product is made with, also where it is quantised."""
    while node.op_type not in ("MatMul", "MatMulInteger"):
        node = next(made[i] for i in node.input if i in made and "scale" not in i)
    name = node.input[1]
    if node.op_type == "MatMul":
        return arrays[name]
    return _float(name.removesuffix("_quantized"), arrays)


def _float(name: str, arrays: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """What eight bits stand for."""
    zero, scale = arrays[f"{name}_zero_point"], arrays[f"{name}_scale"]
    return ((arrays[f"{name}_quantized"].astype(np.float32) - zero) * scale).astype(np.float32)


def _unfold(table: NDArray[np.float32]) -> NDArray[np.float32]:
    """Biases (heads, chunk, keys) of one chunk behind its cache to (heads, distances)."""
    heads, chunk, keys = table.shape
    distance = np.arange(chunk)[:, None] + (keys - chunk) - np.arange(keys) + chunk - 1
    unfolded = np.zeros((heads, keys + chunk - 1), np.float32)
    unfolded[:, distance] = table
    return unfolded


def _name(name: str) -> str:
    part, _, rest = name.partition(".")
    return f"{RENAMED.get(part, part)}.{rest}"


def check_pieces(started: Path, trained: Path) -> None:
    """End the program unless both models number the same word pieces in the same way."""
    one, other = (
        sentencepiece.SentencePieceProcessor(model_file=str(p)) for p in (started, trained)
    )
    ids = range(one.vocab_size())
    if one.vocab_size() != other.vocab_size() or one.id_to_piece(ids) != other.id_to_piece(ids):
        raise SystemExit(f"{trained} has other word pieces than {started}: copy that one over it")
