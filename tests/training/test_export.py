import copy
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from training.export import export_float, export_student
from training.listener import Listener
from training.streaming import STEP, WINDOW, initial_states
from training.student import Student, StudentConfig

pytestmark = pytest.mark.filterwarnings("ignore")  # torch's exporter announces its own future
CONFIG = StudentConfig(
    vocab_size=48,
    dim=16,
    heads=2,
    outer_before=1,
    inner=1,
    outer_after=1,
    joiner_dim=16,
    teacher_dim=8,
)


@pytest.fixture(scope="module")
def student() -> Student:
    torch.manual_seed(2)
    return Student(CONFIG).eval()


@pytest.fixture
def talkative(student: Student) -> Student:
    """Random weights that say something: blank is made unlikely."""
    talker = copy.deepcopy(student)
    with torch.no_grad():
        talker.joiner.bias[0] = -0.2
        talker.joiner.bias[2] = -9
    return talker


def test_graphs_equal_torch(student: Student, tmp_path: Path) -> None:
    sessions = {
        k: onnxruntime.InferenceSession(p) for k, p in export_float(student, tmp_path).items()
    }
    chunks, streams = 6, 2
    features = torch.randn(streams, STEP * (chunks - 1) + WINDOW, 80) * 4 - 9
    attention, convolution, _ = (state.numpy() for state in initial_states(student, streams))
    streamed = []
    for chunk in range(chunks):
        fed = {
            "x": features[:, chunk * STEP : chunk * STEP + WINDOW].numpy(),
            "cached_attn": attention,
            "cached_conv": convolution,
            "processed_lens": np.full(streams, chunk * STEP),
        }
        encoded, attention, convolution = sessions["encoder"].run(None, fed)
        streamed.append(encoded)
    with torch.no_grad():
        whole = student.to_joiner(student.encoder(features)).numpy()
        tokens = torch.tensor([[-1, 0], [5, 6]])
        predicted = student.predictor(tokens).numpy()
        logits = student.join(torch.from_numpy(whole[:, 0]), torch.from_numpy(predicted)).numpy()
    np.testing.assert_allclose(np.concatenate(streamed, 1), whole[:, : chunks * 8], atol=1e-3)
    decoded = sessions["decoder"].run(None, {"y": tokens.numpy()})[0]
    np.testing.assert_allclose(decoded, predicted, atol=1e-4)
    joined = sessions["joiner"].run(None, {"encoder_out": whole[:, 0], "decoder_out": decoded})[0]
    np.testing.assert_allclose(joined, logits, atol=1e-4)


def decode_with_sherpa(folder: Path, clip: np.ndarray) -> str:
    sherpa_onnx = pytest.importorskip("sherpa_onnx")
    recognizer = sherpa_onnx.OnlineRecognizer.from_transducer(
        tokens=str(folder / "tokens.txt"),
        encoder=str(folder / "encoder.int8.onnx"),
        decoder=str(folder / "decoder.int8.onnx"),
        joiner=str(folder / "joiner.int8.onnx"),
        num_threads=1,
    )
    stream = recognizer.create_stream()
    stream.accept_waveform(16000, np.concatenate([clip, np.zeros(16000, np.float32)]))
    stream.input_finished()
    while recognizer.is_ready(stream):
        recognizer.decode_stream(stream)
    return recognizer.get_result(stream).strip()


def test_sherpa_onnx_and_the_server_write_the_same(
    talkative: Student, tiny_pieces: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    export_student(talkative, tiny_pieces, folder)
    clip = np.random.default_rng(1).uniform(-0.3, 0.3, 20000).astype(np.float32)
    listener = Listener(folder, min_confidence=0)  # it has learned nothing yet
    text = listener.listen(clip)
    assert text
    assert decode_with_sherpa(folder, clip).startswith(text)
    assert listener.real_time_factor > 0
    assert isinstance(Listener(folder, ["kitchen lamp"]).listen(clip), str)


def test_only_matrix_products_are_quantised(
    student: Student, tiny_pieces: Path, tmp_path: Path
) -> None:
    export_student(student, tiny_pieces, tmp_path / "export")
    operators = {
        node.op_type for node in onnx.load(tmp_path / "export" / "encoder.int8.onnx").graph.node
    }
    assert "MatMulInteger" in operators
    assert "Conv" in operators
    assert "ConvInteger" not in operators
    tokens = (tmp_path / "export" / "tokens.txt").read_text().split("\n")
    assert tokens[:3] == ["<blk> 0", "<sos/eos> 1", "<unk> 2"]
