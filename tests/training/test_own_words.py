import shutil
from pathlib import Path

import pytest

from tests.training.conftest import TINY_DIM
from training import own_words


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # torch's exporter announces its own future
@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
@pytest.mark.parametrize(
    ("language", "sentences"),
    [("de", ["schalte das licht aus", "mach die tür zu", "öffne 3 fenster"])],
)
def test_a_language_from_text_alone(
    language: str, sentences: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, work = tmp_path / "text.txt", tmp_path / "work"
    text.write_text("\n".join(sentences), encoding="utf-8")
    common = [
        "own_words",
        str(text),
        "--language",
        language,
        "--work",
        str(work),
        "--utterances",
        "6",
    ]
    common += ["--speech", str(tmp_path), "--batch", "8", "--dim", str(TINY_DIM)]

    monkeypatch.setattr("sys.argv", [*common, "--hours", "0.01"])
    own_words.main()
    exported = {path.name for path in (work / "export").iterdir()}
    assert exported == {
        "encoder.int8.onnx",
        "joiner.int8.onnx",
        "decoder.int8.onnx",
        "tokens.txt",
        "bpe.model",
    }

    checkpoint = work / "checkpoints" / "last.pt"
    further = [*common, "--hours", "0.005", "--start", str(checkpoint)]
    further[further.index(str(work))] = str(tmp_path / "more")
    monkeypatch.setattr("sys.argv", further)
    own_words.main()
    assert (tmp_path / "more" / "export" / "encoder.int8.onnx").exists()
