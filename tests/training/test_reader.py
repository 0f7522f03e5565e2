import numpy as np
import pytest
import torch
from onnxruntime import InferenceSession

from tests.support.shared import MODEL, needs_shared, recordings
from training.reader import TeacherReader
from training.recordings import read_audio
from training.teacher import Teacher

DIMS = 8


def test_the_same_frames_diverge_by_nothing_and_others_by_something(reader: TeacherReader) -> None:
    frames, lengths = torch.randn(2, 9, DIMS), torch.tensor([9, 4])
    assert reader.loss(frames, frames, lengths).item() == pytest.approx(0, abs=1e-6)
    assert reader.loss(0.5 * frames, frames, lengths).item() > 0.01


def test_frames_past_the_end_count_for_nothing(reader: TeacherReader) -> None:
    frames, lengths = torch.randn(1, 9, DIMS), torch.tensor([4])
    longer = torch.cat([frames[:, :4], torch.randn(1, 7, DIMS)], 1)
    assert reader.loss(longer, frames, lengths).item() == pytest.approx(0, abs=1e-6)
    assert not reader.loss(frames, frames, torch.tensor([0])).item()


def test_the_student_learns_from_it_and_the_reader_does_not(reader: TeacherReader) -> None:
    imitated = torch.zeros(1, 5, DIMS, requires_grad=True)
    reader.loss(imitated, torch.randn(1, 5, DIMS), torch.tensor([5])).backward()
    assert imitated.grad is not None
    assert imitated.grad.abs().sum() > 0
    assert not list(reader.parameters())


@needs_shared
def test_it_reads_what_the_teacher_writes() -> None:
    reader, teacher = TeacherReader.load(MODEL), Teacher(MODEL)
    symbols = [
        r.split()[0] for r in (MODEL / "tokens.txt").read_text(encoding="utf-8").splitlines()
    ]
    taken = [teacher.listen(read_audio(r.path)) for r in recordings("ha-commands-tts-en", 3)]
    frames = [torch.from_numpy(f.astype(np.float32)) for f, _ in taken]
    padded = torch.nn.utils.rnn.pad_sequence(frames, batch_first=True)
    logits = reader.logits(padded, reader.predicted(padded))
    for row, mine, (_, text) in zip(logits, frames, taken, strict=True):
        said = [symbols[token] for token in row[: len(mine)].argmax(-1) if token]
        assert text.startswith("".join(said).replace("▁", " ").strip().lower())


@needs_shared
def test_its_joiner_is_the_teachers() -> None:
    joiner = InferenceSession(next(iter(MODEL.glob("joiner*.onnx"))))
    frames, predicted = torch.randn(5, 320), torch.randn(5, 320)
    (theirs,) = joiner.run(None, {"encoder_out": frames.numpy(), "decoder_out": predicted.numpy()})
    ours = TeacherReader.load(MODEL).logits(frames, predicted)
    assert np.abs(ours.numpy() - theirs).max() < 0.05 * np.abs(theirs).max()
