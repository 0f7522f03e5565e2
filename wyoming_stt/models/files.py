"""The files of a transducer in the icefall/sherpa-onnx layout, found by their names."""

from dataclasses import dataclass
from pathlib import Path

from wyoming_stt.errors import ModelFileError

__all__ = ["TransducerFiles", "find"]

_FOLDERS = ("", "am-onnx", "am")
"""Where the graphs may lie: beside each other, or as in a Vosk model (with `lang/tokens.txt`)."""

_REDUCED = ("int8", "fp16", "bf16")


@dataclass(frozen=True, slots=True)
class TransducerFiles:
    """Paths of one model; `bpe_model` is needed for hotwords only, `language_model` for none."""

    folder: Path
    encoder: Path
    decoder: Path
    joiner: Path
    tokens: Path
    bpe_model: Path | None
    language_model: Path | None

    @property
    def precision(self) -> str:
        """Of the encoder's weights, as its name tells."""
        return next((p for p in _REDUCED if f".{p}." in self.encoder.name), "fp32")

    @property
    def num_bytes(self) -> int:
        """Size of the graphs, with weights that lie beside them (`encoder.onnx.data`)."""
        graphs = (self.encoder, self.decoder, self.joiner)
        files = (file for graph in graphs for file in graph.parent.glob(f"{graph.name}*"))
        return sum(file.stat().st_size for file in files)


def find(folder: Path, *, prefer_int8: bool = True) -> TransducerFiles:
    """Look for the four files; int8 graphs win, but for the predictor, whose embedding is small.

    Args:
        folder: where to look.
        prefer_int8: False: float graphs win, which is what else can be made of.

    Raises:
        ModelFileError: the folder or one of the files is missing.
    """
    if not folder.is_dir():
        raise ModelFileError(folder, "a folder with a model", "nothing")
    graphs = next((folder / sub for sub in _FOLDERS if _graphs(folder / sub, "encoder")), folder)
    tokens = next(
        (path for path in (folder / "tokens.txt", folder / "lang" / "tokens.txt") if path.exists()),
        folder / "tokens.txt",
    )
    bpe_model = next(
        (path for path in (folder / "bpe.model", folder / "lang" / "bpe.model") if path.exists()),
        None,
    )
    language_model = folder / "lm.npz"
    if not tokens.is_file():
        raise ModelFileError(tokens, "a list of tokens", "nothing")
    return TransducerFiles(
        folder=folder,
        encoder=_choose(graphs, "encoder", prefer_int8=prefer_int8),
        decoder=_choose(graphs, "decoder", prefer_int8=False),
        joiner=_choose(graphs, "joiner", prefer_int8=prefer_int8),
        tokens=tokens,
        bpe_model=bpe_model,
        language_model=language_model if language_model.is_file() else None,
    )


def _graphs(folder: Path, role: str) -> list[Path]:
    return sorted(folder.glob(f"{role}*.onnx"))


def _choose(folder: Path, role: str, *, prefer_int8: bool) -> Path:
    graphs = _graphs(folder, role)
    if not graphs:
        raise ModelFileError(folder / f"{role}.onnx", f"the {role} graph", "nothing")
    return next((path for path in graphs if (".int8." in path.name) == prefer_int8), graphs[0])
