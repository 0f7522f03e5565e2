"""Write ONNX graphs as plain calls: `g.op("Tanh", x)` adds a node and names its result."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import onnx
from numpy.typing import ArrayLike
from onnx import TensorProto, helper, numpy_helper

__all__ = ["FLOAT", "INT64", "Dim", "Frames", "Graph"]

FLOAT: Final = TensorProto.FLOAT
INT64: Final = TensorProto.INT64

OPSET: Final = 13
IR_VERSION: Final = 7
"""With opset 13, what the icefall exports of published models carry."""

Dim = int | str


class Frames(NamedTuple):
    """The name of a tensor of hidden frames, (N, T', width)."""

    name: str
    width: int


class Graph:
    """One model under construction; weights come from `rng` in the order they are asked for."""

    def __init__(self, name: str, rng: np.random.Generator) -> None:
        self.rng = rng
        self._name = name
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, dtype: int, shape: Sequence[Dim]) -> str:
        self._inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def output(self, name: str, value: str, dtype: int, shape: Sequence[Dim]) -> None:
        self._nodes.append(helper.make_node("Identity", [value], [name]))
        self._outputs.append(helper.make_tensor_value_info(name, dtype, shape))

    def op(self, kind: str, *inputs: str, **attributes: object) -> str:
        result = f"{kind}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [result], **attributes))
        return result

    def const(self, value: ArrayLike, dtype: type = np.float32) -> str:
        name = f"weight_{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def ints(self, *values: int) -> str:
        return self.const(values, np.int64)

    def normal(self, *shape: int, scale: float = 1.0) -> str:
        return self.const(self.rng.normal(0.0, scale, shape))

    def linear(self, x: str, rows: int, columns: int, gain: float = 1.0) -> str:
        """Multiply by a random matrix that keeps the variance of its input, times `gain`²."""
        return self.op("MatMul", x, self.normal(rows, columns, scale=gain / rows**0.5))

    def squeeze(self, x: str, axis: int) -> str:
        return self.op("Squeeze", x, self.ints(axis))

    def unsqueeze(self, x: str, axis: int) -> str:
        return self.op("Unsqueeze", x, self.ints(axis))

    def transpose(self, x: str, source: str, target: str) -> str:
        """Reorder named axes: `transpose(x, "ntc", "nct")`."""
        if source == target:
            return x
        return self.op("Transpose", x, perm=[source.index(axis) for axis in target])

    def model(self, metadata: Mapping[str, str]) -> onnx.ModelProto:
        graph = helper.make_graph(
            self._nodes, self._name, self._inputs, self._outputs, self._weights
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
        )
        helper.set_model_props(model, dict(metadata))
        return model
