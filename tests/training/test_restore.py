from dataclasses import replace
from pathlib import Path

import pytest
import torch

from training.export import export_student
from training.restore import HEADS, restore
from training.student import Student, StudentConfig

pytestmark = pytest.mark.filterwarnings("ignore")  # torch's exporter announces its own future
CONFIG = StudentConfig(
    vocab_size=48, dim=16, heads=2, inner=2, outer_after=1, joiner_dim=16, teacher_dim=320
)


@pytest.fixture(scope="module")
def student() -> Student:
    """One whose weights all differ, as training leaves them: equal ones are exported once."""
    torch.manual_seed(3)
    student = Student(CONFIG).eval()
    with torch.no_grad():
        for weight in student.parameters():
            weight.add_(torch.randn_like(weight), alpha=0.1)
    return student


@pytest.fixture
def exported(student: Student, tiny_pieces: Path, tmp_path: Path) -> Path:
    export_student(student, tiny_pieces, tmp_path / "export")
    return tmp_path / "export"


def encoded(student: Student, features: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return student.to_joiner(student.encoder(features))


def test_a_student_comes_back_but_for_eight_bits(student: Student, exported: Path) -> None:
    restored = restore(exported).eval()
    assert restored.config == student.config
    for name, weight in student.state_dict().items():
        if name.split(".")[0] not in HEADS:
            step = weight.abs().max() / 127
            assert (restored.state_dict()[name] - weight).abs().max() <= step, name


def test_new_blocks_change_nothing_at_first(exported: Path) -> None:
    features = torch.randn(1, 200, 80) * 4 - 9
    larger = restore(exported, replace(CONFIG, inner=4)).eval()
    assert sum(p.numel() for p in larger.parameters()) > sum(
        p.numel() for p in restore(exported).parameters()
    )
    torch.testing.assert_close(
        encoded(larger, features), encoded(restore(exported).eval(), features)
    )


def test_another_size_is_refused(exported: Path) -> None:
    with pytest.raises(ValueError, match="no place in the student"):
        restore(exported, replace(CONFIG, dim=32))
    (exported / "joiner.int8.onnx").unlink()
    with pytest.raises(ValueError, match="lacks"):
        restore(exported)
