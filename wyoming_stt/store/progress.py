"""What a long operation tells about itself, and how it is told to stop."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Phase", "Report", "Step", "silent"]


class Phase(StrEnum):
    """What is being done."""

    WAITING = "waiting"
    """For another process that works on the same model."""
    DOWNLOADING = "downloading"
    RETRYING = "retrying"
    UNPACKING = "unpacking"
    INSTALLING = "installing"


@dataclass(frozen=True, slots=True)
class Step:
    """How far an operation has come."""

    phase: Phase
    what: str
    """A file's or model's name; with `RETRYING`, the reason."""
    done: int = 0
    """Bytes."""
    total: int | None = None
    """Bytes; None where nobody knows."""


Report = Callable[[Step], None]
"""Called often, from the thread that does the work."""


def silent(_: Step) -> None:
    """Report to nobody."""
