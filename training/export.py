"""Stage 6: export a checkpoint as a streaming transducer in the icefall layout, quantised.

    python -m training.export --checkpoint best last

Writes `export/`: encoder.int8.onnx, decoder.int8.onnx, joiner.int8.onnx, tokens.txt, bpe.model, and
lm.npz where there is one. Matrix products are quantised to 8 bits by channel, and so are the
decoder's embeddings; convolutions stay float. sherpa-onnx loads the folder as any streaming
conformer transducer, and leaves the language model alone.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import onnx
import sentencepiece
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process
from rich.console import Console
from sentencepiece import sentencepiece_model_pb2
from torch import Tensor, nn

from training.features import NUM_BINS
from training.streaming import (
    WINDOW,
    ExportDecoder,
    ExportEncoder,
    ExportJoiner,
    encoder_metadata,
    initial_states,
)
from training.student import Student, StudentConfig
from training.workspace import Workspace, add_workspace_arguments

__all__ = ["export_student", "load_student", "main"]

OPSET = 17
QUANTISED = {"encoder": ["MatMul"], "decoder": ["MatMul", "Gather"], "joiner": ["MatMul"]}
"""Operators of each graph whose weights become 8 bits. What the encoder gathers are the biases of
its attention, few and delicate."""


def load_student(*checkpoints: Path, shares: Sequence[float] = ()) -> Student:
    """The averaged student of a checkpoint; of several, their mean, which errs less than each.

    Args:
        checkpoints: Of one run, or of a run and of one that went on from there.
        shares: Of each in the mean, 1 in all; equal ones when none are given.
    """
    states = [torch.load(path, map_location="cpu", weights_only=True) for path in checkpoints]
    student = Student(StudentConfig(**states[0]["config"])).eval()
    shares = shares or [1 / len(states)] * len(states)
    student.load_state_dict(
        {
            name: sum(
                share * state["average"][name] for share, state in zip(shares, states, strict=True)
            )
            for name in states[0]["average"]
        }
    )
    return student


def export_student(student: Student, pieces: Path, folder: Path) -> None:
    """Write all files of the model to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        plain = export_float(student, Path(scratch))
        for part, kinds in QUANTISED.items():
            _quantize(plain[part], folder / f"{part}.int8.onnx", kinds)
    _write_pieces(pieces, folder / "bpe.model")
    _write_tokens(pieces, folder / "tokens.txt")


def export_float(student: Student, folder: Path) -> dict[str, Path]:
    """Write the three float graphs with their metadata; returns their paths by part."""
    config = student.config
    paths = {part: folder / f"{part}.onnx" for part in ("encoder", "decoder", "joiner")}
    _export(
        ExportEncoder(student).eval(),
        (torch.zeros(1, WINDOW, NUM_BINS), *initial_states(student, 1)),
        {"x": 0, "cached_attn": 2, "cached_conv": 2, "processed_lens": 0},
        {"encoder_out": 0, "new_cached_attn": 2, "new_cached_conv": 2},
        path=paths["encoder"],
        metadata=encoder_metadata(student),
    )
    _export(
        ExportDecoder(student).eval(),
        (torch.zeros(1, 2, dtype=torch.long),),
        {"y": 0},
        {"decoder_out": 0},
        path=paths["decoder"],
        metadata={"context_size": "2", "vocab_size": str(config.vocab_size)},
    )
    _export(
        ExportJoiner(student).eval(),
        (torch.zeros(1, config.joiner_dim), torch.zeros(1, config.joiner_dim)),
        {"encoder_out": 0, "decoder_out": 0},
        {"logit": 0},
        path=paths["joiner"],
        metadata={"joiner_dim": str(config.joiner_dim)},
    )
    return paths


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_workspace_arguments(parser)
    parser.add_argument(
        "--checkpoint",
        nargs="+",
        default=["best"],
        help="name of the checkpoint, or of several of one run to be averaged (default: best)",
    )
    parser.add_argument(
        "--shares",
        nargs="+",
        type=float,
        default=(),
        help="of each checkpoint in the mean, 1 in all (default: equal ones)",
    )
    parser.add_argument(
        "--out", type=Path, help="folder to write (default: export/ in the work folder)"
    )
    arguments = parser.parse_args()
    work = Workspace.of(arguments.work)
    folder = arguments.out or work.export
    checkpoints = (work.checkpoints / f"{name}.pt" for name in arguments.checkpoint)
    student = load_student(*checkpoints, shares=arguments.shares)
    export_student(student, work.bpe_model, folder)
    if work.language_model.exists():
        shutil.copy(work.language_model, folder)
    sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
    Console().print(sizes, f"{sum(sizes.values()) / 1e6:.2f} MB in {folder}")


def _export(
    module: nn.Module,
    example: tuple[Tensor, ...],
    inputs: dict[str, int],
    outputs: dict[str, int],
    *,
    path: Path,
    metadata: dict[str, str],
) -> None:
    """Write one graph; `inputs` and `outputs` give the batch axis of each name, in order."""
    torch.onnx.export(
        module,
        example,
        str(path),
        input_names=list(inputs),
        output_names=list(outputs),
        dynamic_axes={name: {axis: "N"} for name, axis in (inputs | outputs).items()},
        opset_version=OPSET,
        dynamo=False,
    )
    model = onnx.load(path)
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, path)


def _quantize(source: Path, target: Path, kinds: list[str]) -> None:
    prepared = source.with_suffix(".prepared.onnx")
    quant_pre_process(source, prepared, skip_symbolic_shape=True)
    quantize_dynamic(
        prepared,
        target,
        op_types_to_quantize=kinds,
        per_channel=True,
        weight_type=QuantType.QInt8,
    )


def _write_pieces(pieces: Path, path: Path) -> None:
    """Leave out the rules for foreign letters, 240 kB that normalised text does not need."""
    model = sentencepiece_model_pb2.ModelProto.FromString(pieces.read_bytes())
    model.normalizer_spec.name = "identity"
    model.normalizer_spec.ClearField("precompiled_charsmap")
    path.write_bytes(model.SerializeToString())


def _write_tokens(pieces: Path, path: Path) -> None:
    model = sentencepiece.SentencePieceProcessor(model_file=str(pieces))
    path.write_text(
        "".join(f"{model.id_to_piece(i)} {i}\n" for i in range(model.vocab_size())),
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
