"""Several trainers that move the same weights, each at its own pace.

Each is a process with one thread: where cores are lent out to something else now and then, threads
that wait for each other would lose ten times what they win. A trainer adds what it has learned
since it last looked to weights in shared memory, takes over what the others have learned meanwhile,
and waits for nobody; alone, it changes nothing. (Downpour SGD: Dean et al., "Large scale
distributed deep networks", 2012.)
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch import multiprocessing as mp
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from training.student import Student

__all__ = ["Peer", "SharedWeights"]


class SharedWeights:
    """Weights, and the hours of audio that were heard for them, in shared memory."""

    def __init__(self, student: Student, hours: float) -> None:
        self.weights = parameters_to_vector(student.parameters()).detach().clone().share_memory_()
        self.hours = torch.tensor(hours, dtype=torch.float64).share_memory_()
        self.lock = mp.get_context("spawn").Lock()


class Peer:
    """One trainer's side of the shared weights."""

    def __init__(self, shared: SharedWeights, student: Student) -> None:
        self._shared = shared
        self._student = student
        self._base: Tensor = shared.weights.clone()
        vector_to_parameters(self._base.clone(), student.parameters())

    def exchange(self, hours: float) -> float:
        """Give what was learned from `hours` of audio, take what others gave.

        Returns:
            Hours of audio that all of them have heard.
        """
        mine = parameters_to_vector(self._student.parameters()).detach()
        with self._shared.lock:
            self._shared.weights += mine - self._base
            self._shared.hours += hours
            self._base = self._shared.weights.clone()
            heard = float(self._shared.hours)
        vector_to_parameters(self._base.clone(), self._student.parameters())
        return heard
