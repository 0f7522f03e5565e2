"""A recogniser that fails when it is told to."""

from wyoming_stt.decoding.options import SearchOptions
from wyoming_stt.models.families.fake import FakeRecognizer, FakeStream

__all__ = ["FailingRecognizer"]


class FailingRecognizer(FakeRecognizer):
    """Hears like the fake one while it is not broken."""

    is_broken = False

    def open(self, options: SearchOptions) -> FakeStream:
        if self.is_broken:
            raise RuntimeError("broken")
        return super().open(options)
