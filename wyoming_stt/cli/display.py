"""What a person watching `transcribe` sees: a progress bar, the words as they appear, the results.

Results go to standard output, everything else to standard error.
"""

import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from wyoming_stt.events import Event, PartialTranscript
from wyoming_stt.types import seconds

__all__ = ["Display"]

SHOW_AFTER_S: Final = 1.0
"""A bar for less than this is only a flicker."""


class Display:
    """A context manager around one run over `num_files` files."""

    def __init__(self, num_files: int, *, partials: bool) -> None:
        console = Console(stderr=True)
        self._partials = partials
        self._fractions = [0.0] * num_files
        self._started = time.monotonic()
        self._bar = Progress(
            "Transcribing",
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            # Results must reach the real standard output, which may be a pipe.
            redirect_stdout=False,
            redirect_stderr=False,
            disable=partials or not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=num_files)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def advance(self, file: int, fraction: float, events: Sequence[Event]) -> None:
        """Show that so much of the file was read, and what was heard in it."""
        self._fractions[file] = fraction
        self._bar.update(self._task, completed=sum(self._fractions))
        if time.monotonic() - self._started > SHOW_AFTER_S:
            self._bar.start()
        if self._partials:
            for event in events:
                if isinstance(event, PartialTranscript):
                    self.note(f"{seconds(event.position):7.2f} s  {event.text}")

    def result(self, text: str) -> None:
        """Write a result to standard output."""
        if sys.stdout.isatty() and self._bar.live.is_started:
            self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()

    def note(self, text: str) -> None:
        """Write a line to standard error."""
        self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
