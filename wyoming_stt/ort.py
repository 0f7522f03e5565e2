"""The one door to onnxruntime: sessions, their metadata, and calls without copies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from wyoming_stt.errors import ModelFileError
from wyoming_stt.graph_cache import GraphCache

__all__ = ["Array", "BoundCall", "OrtModel", "OrtOptions", "TensorSpec", "providers"]

Array = NDArray[Any]

_DTYPES: Mapping[str, type[np.generic]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
}

_PROVIDERS = {
    "cpu": ["CPUExecutionProvider"],
    "cuda": ["CUDAExecutionProvider", "CPUExecutionProvider"],
}


@dataclass(frozen=True, slots=True)
class OrtOptions:
    """How onnxruntime runs a model."""

    threads: int = 1
    """Threads inside one call. Small models are fastest with 1; workers use the other cores."""
    provider: str = "cpu"
    """`cpu`, or `cuda` with the `gpu` extra installed."""
    cache_dir: Path | None = None
    """Folder for graphs as optimised for this machine, which load twice as fast. None: not kept."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output of a graph; a symbolic dimension is None."""

    name: str
    shape: tuple[int | None, ...]
    dtype: type[np.generic]

    def zeros(self, batch: int = 1) -> Array:
        """Make an array of this shape, symbolic dimensions being `batch`."""
        return np.zeros([batch if size is None else size for size in self.shape], self.dtype)


class OrtModel:
    """One ONNX graph. `run` and `bind` may be called from several threads at once."""

    def __init__(self, path: Path, options: OrtOptions) -> None:
        """Load the graph.

        Raises:
            ModelFileError: the file is missing or onnxruntime cannot load it.
        """
        if not path.is_file():
            raise ModelFileError(path, "an ONNX file", "nothing")
        self.path = path
        try:
            self._session = _load_cached(path, options) or _load(path, options)
        except _GraphError as error:
            raise ModelFileError(path, "a loadable ONNX model", str(error)) from error
        self.metadata: Mapping[str, str] = self._session.get_modelmeta().custom_metadata_map
        self.inputs = tuple(_spec(node) for node in self._session.get_inputs())
        self.outputs = tuple(_spec(node) for node in self._session.get_outputs())

    def metadata_ints(self, key: str) -> list[int]:
        """Read a comma-separated list of integers from the metadata.

        Raises:
            ModelFileError: the key is missing or its value is no such list.
        """
        value = self.metadata.get(key)
        if value is None:
            raise ModelFileError(
                self.path, f"metadata {key!r}", f"only {', '.join(sorted(self.metadata)) or 'none'}"
            )
        try:
            return [int(part) for part in value.split(",")]
        except ValueError as error:
            raise ModelFileError(self.path, f"integers in metadata {key!r}", repr(value)) from error

    def metadata_int(self, key: str) -> int:
        """Read one integer from the metadata, as `metadata_ints`."""
        return self.metadata_ints(key)[0]

    def run(self, *inputs: Array) -> list[Array]:
        """Call with the inputs in the graph's order; returns all outputs."""
        feed = {spec.name: array for spec, array in zip(self.inputs, inputs, strict=True)}
        outputs: list[Array] = self._session.run(None, feed)
        return outputs

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> "BoundCall":
        """Prepare calls that read and write these very arrays, in the graph's order."""
        binding = self._session.io_binding()
        for spec, array in zip(self.inputs, inputs, strict=True):
            binding.bind_ortvalue_input(spec.name, ort.OrtValue.ortvalue_from_numpy(array))
        for spec, array in zip(self.outputs, outputs, strict=True):
            binding.bind_ortvalue_output(spec.name, ort.OrtValue.ortvalue_from_numpy(array))
        return BoundCall(self._session, binding, (*inputs, *outputs))


class BoundCall:
    """A call on fixed arrays: no dictionary, no copy, no allocation for inputs and outputs.

    On the CPU, onnxruntime aliases the memory of the NumPy arrays it was given, which must
    therefore live as long as the binding does.
    """

    __slots__ = ("_arrays", "_binding", "_session")

    def __init__(
        self, session: ort.InferenceSession, binding: ort.IOBinding, arrays: tuple[Array, ...]
    ) -> None:
        self._session = session
        self._binding = binding
        self._arrays = arrays

    def __call__(self) -> None:
        """Run the graph once."""
        self._session.run_with_iobinding(self._binding)

    def __copy__(self) -> Self:
        raise TypeError("a bound call belongs to its arrays; bind anew")


class _GraphError(OSError):
    """A graph cannot be loaded, or its optimised form not be written."""


def providers() -> list[str]:
    """Names of the execution providers that this installation of onnxruntime has."""
    names: list[str] = ort.get_available_providers()
    return names


def _load(path: Path, options: OrtOptions) -> ort.InferenceSession:
    if options.cache_dir is None or options.provider != "cpu" or _has_weights_outside(path):
        return _new_session(path, _session_options(options), options)
    loaded: list[ort.InferenceSession] = []

    def write(optimised: Path) -> None:
        session_options = _session_options(options)
        session_options.optimized_model_filepath = str(optimised)
        loaded.append(_new_session(path, session_options, options))

    GraphCache(options.cache_dir).store(path, _salt(options), write)
    return loaded[0] if loaded else _new_session(path, _session_options(options), options)


def _load_cached(path: Path, options: OrtOptions) -> ort.InferenceSession | None:
    if options.cache_dir is None or options.provider != "cpu":
        return None
    cache = GraphCache(options.cache_dir)
    optimised = cache.find(path, _salt(options))
    if optimised is None:
        return None
    session_options = _session_options(options)
    session_options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return _new_session(optimised, session_options, options)
    except _GraphError:
        cache.drop(path, _salt(options))
        return None


def _new_session(
    path: Path, session_options: ort.SessionOptions, options: OrtOptions
) -> ort.InferenceSession:
    # Symbolic links are resolved because onnxruntime looks for external weights beside the name
    # that it is given.
    file = str(path.resolve())
    try:
        return ort.InferenceSession(file, session_options, providers=_PROVIDERS[options.provider])
    except Exception as error:  # onnxruntime's classes share no other base
        raise _GraphError(_first_line(error)) from error


def _salt(options: OrtOptions) -> str:
    """What an optimised graph depends on beside the model; the CPU is in the folder's name."""
    return f"{ort.__version__} {options.provider}"


def _has_weights_outside(path: Path) -> bool:
    """Tell whether weights may lie in other files, of which the graph's checksum says nothing.

    ONNX names such a file under the key "location".
    """
    return b"location" in path.read_bytes()


def _session_options(options: OrtOptions) -> ort.SessionOptions:
    session = ort.SessionOptions()
    session.intra_op_num_threads = options.threads
    session.inter_op_num_threads = 1
    session.log_severity_level = 3
    # Idle threads must sleep: a home server is idle nearly always, and spinning workers would
    # take the cores of the utterances beside them.
    session.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return session


def _spec(node: ort.NodeArg) -> TensorSpec:
    shape = tuple(size if isinstance(size, int) else None for size in node.shape)
    return TensorSpec(node.name, shape, _DTYPES.get(node.type, np.float32))


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
