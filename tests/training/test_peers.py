import torch
from torch import multiprocessing as mp
from torch.nn.utils import parameters_to_vector

from training.peers import Peer, SharedWeights
from training.student import Student, StudentConfig

TINY = StudentConfig(vocab_size=8, dim=16, heads=2, inner=1, joiner_dim=16, teacher_dim=4)


def learn(student: Student, amount: float) -> None:
    with torch.no_grad():
        for weight in student.parameters():
            weight.add_(amount)


def assist(shared: SharedWeights) -> None:
    student = Student(TINY)
    peer = Peer(shared, student)
    learn(student, 2.0)
    peer.exchange(0.25)


def test_alone_nothing_changes() -> None:
    student = Student(TINY)
    peer = Peer(SharedWeights(student, 3.0), student)
    before = parameters_to_vector(student.parameters()).detach().clone()
    learn(student, 1.0)
    assert peer.exchange(0.5) == 3.5
    torch.testing.assert_close(parameters_to_vector(student.parameters()).detach(), before + 1)


def test_what_others_learned_is_added() -> None:
    student = Student(TINY)
    before = parameters_to_vector(student.parameters()).detach().clone()
    shared = SharedWeights(student, 0.0)
    peer = Peer(shared, student)
    learn(student, 1.0)
    other = mp.get_context("spawn").Process(target=assist, args=(shared,))
    other.start()
    other.join(60)
    assert other.exitcode == 0
    assert peer.exchange(0.25) == 0.5
    torch.testing.assert_close(parameters_to_vector(student.parameters()).detach(), before + 3)
