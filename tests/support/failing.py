"""Recognisers that fail, or hang, when they are told to."""

from tests.support.engines import Stuck
from wyoming_stt.decoding.options import SearchOptions
from wyoming_stt.models.families.fake import FakeRecognizer, FakeStream

__all__ = ["FailingRecognizer", "StuckRecognizer"]


class FailingRecognizer(FakeRecognizer):
    """Hears like the fake one while it is not broken."""

    is_broken = False

    def open(self, options: SearchOptions) -> FakeStream:
        if self.is_broken:
            raise RuntimeError("broken")
        return super().open(options)


class StuckRecognizer(FakeRecognizer):
    """Hears like the fake one, once it was let go."""

    def __init__(self) -> None:
        super().__init__()
        self.stuck = Stuck()
        self.is_stuck = False

    def open(self, options: SearchOptions) -> FakeStream:
        if self.is_stuck:
            self.stuck()
        return super().open(options)
