from pathlib import Path

import pytest

from wyoming_stt.errors import ModelFileError
from wyoming_stt.models.files import find

PLAIN = ("encoder.onnx", "decoder.onnx", "joiner.onnx", "tokens.txt")


def folder_with(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def names(folder: Path) -> list[str]:
    files = find(folder)
    paths = (files.encoder, files.decoder, files.joiner, files.tokens)
    assert files.folder == folder
    return [str(path.relative_to(folder)) for path in paths]


def test_plain_names(tmp_path: Path) -> None:
    assert names(folder_with(tmp_path, *PLAIN)) == list(PLAIN)


def test_names_with_an_epoch(tmp_path: Path) -> None:
    suffix = "-epoch-12-avg-8.onnx"
    graphs = [f"{role}{suffix}" for role in ("encoder", "decoder", "joiner")]
    assert names(folder_with(tmp_path, *graphs, "tokens.txt")) == [*graphs, "tokens.txt"]


def test_quantised_graphs_win_but_for_the_predictor(tmp_path: Path) -> None:
    quantised = ("encoder.int8.onnx", "decoder.int8.onnx", "joiner.int8.onnx")
    folder_with(tmp_path, *quantised, "tokens.txt")
    assert names(tmp_path) == [*quantised, "tokens.txt"]
    folder_with(tmp_path, *PLAIN)
    expected = ["encoder.int8.onnx", "decoder.onnx", "joiner.int8.onnx", "tokens.txt"]
    assert names(tmp_path) == expected


@pytest.mark.parametrize("sub", ["am", "am-onnx"])
def test_vosk_folders(tmp_path: Path, sub: str) -> None:
    graphs = [f"{sub}/{role}.onnx" for role in ("encoder", "decoder", "joiner")]
    folder_with(tmp_path, *graphs, "lang/tokens.txt", "lang/bpe.model")
    assert names(tmp_path) == [*graphs, "lang/tokens.txt"]
    assert find(tmp_path).bpe_model == tmp_path / "lang" / "bpe.model"


def test_hotwords_need_no_model_of_their_own(tmp_path: Path) -> None:
    assert find(folder_with(tmp_path, *PLAIN)).bpe_model is None
    assert find(folder_with(tmp_path, "bpe.model")).bpe_model == tmp_path / "bpe.model"


@pytest.mark.parametrize("missing", PLAIN)
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    folder_with(tmp_path, *PLAIN)
    (tmp_path / missing).unlink()
    with pytest.raises(ModelFileError, match="found nothing") as caught:
        find(tmp_path)
    assert caught.value.path == tmp_path / missing


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", folder_with(tmp_path, "file") / "file"):
        with pytest.raises(ModelFileError, match="expected a folder with a model") as caught:
            find(path)
        assert caught.value.path == path
