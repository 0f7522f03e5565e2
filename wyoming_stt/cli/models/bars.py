"""How far the store is, on standard error: a bar where somebody watches, lines otherwise."""

import time
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from wyoming_stt.store import Phase, Step

__all__ = ["StoreDisplay"]

REDRAW_S: Final = 0.1
"""Steps come by the thousand."""


class StoreDisplay:
    """A context manager around what changes the store; `report` is given to the store."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None)
        self._shown: tuple[Phase, str] | None = None
        self._drawn = 0.0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def report(self, step: Step) -> None:
        """Show a step."""
        if (step.phase, step.what) != self._shown:
            self._begin(step)
        elif time.monotonic() - self._drawn > REDRAW_S:
            self._bar.update(self._task, completed=step.done, total=step.total)
            self._drawn = time.monotonic()

    def note(self, text: str) -> None:
        """Write a line."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _begin(self, step: Step) -> None:
        self._shown = (step.phase, step.what)
        title = f"{step.phase.capitalize()} {step.what}"
        if step.phase is Phase.WAITING:
            self.note(f"Another process works on {step.what}; waiting for it")
        elif step.phase is Phase.RETRYING:
            self.note(f"Trying again: {step.what}")
            return
        elif not self._console.is_terminal and step.phase is Phase.DOWNLOADING:
            self.note(title)
        self._bar.reset(
            self._task, description=title, completed=step.done, total=step.total, start=True
        )
