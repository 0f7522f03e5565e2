"""How a command fails: one line on standard error, and an exit code that a script can branch on.

The codes are those of sysexits.h, where it has one.
"""

from typing import Final, NoReturn

import typer

from wyoming_stt.errors import (
    ArchiveError,
    ChecksumError,
    DownloadError,
    NotInstalledError,
    SettingsError,
    StorageError,
    StoreBusyError,
    UnlistedModelError,
)

__all__ = ["EXIT_CODES", "complain", "exit_code", "fail"]

EXIT_CODES: Final[tuple[tuple[type[Exception], int], ...]] = (
    (SettingsError, 2),
    (ChecksumError, 65),
    (ArchiveError, 65),
    (UnlistedModelError, 66),
    (NotInstalledError, 66),
    (DownloadError, 69),
    (StorageError, 74),
    (StoreBusyError, 75),
)
"""Kinds of errors with a code of their own; all others end with 1."""


def exit_code(error: Exception) -> int:
    """Return the code that a command ends with after an error."""
    return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), 1)


def complain(reason: object) -> None:
    """Say what is wrong."""
    typer.echo(f"wyoming-stt: {reason}", err=True)


def fail(reason: object) -> NoReturn:
    """End the command."""
    complain(reason)
    raise typer.Exit(1)
