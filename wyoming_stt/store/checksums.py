"""Checksums that nobody publishes: recorded at first fetch, and held to from then on."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wyoming_stt.errors import StorageError
from wyoming_stt.store.durable import write_atomically
from wyoming_stt.store.lock import hold

__all__ = ["RecordedChecksums"]

LOCK_TIMEOUT_S: Final = 10.0
"""The file is held for milliseconds."""
TRAILING_COMMA: Final = re.compile(r",\s*}\s*\Z")
"""What is left when somebody deletes the last line of several, as they are told to."""


@dataclass(frozen=True, slots=True)
class RecordedChecksums:
    """A file of checksums by address."""

    path: Path
    lock: Path

    def get(self, url: str) -> str | None:
        """Return what was recorded for an address.

        Raises:
            StorageError: the file is damaged.
        """
        return self._read().get(url)

    def record(self, found: Mapping[str, str]) -> None:
        """Hold to these checksums from now on; what was recorded before stays.

        Raises:
            StorageError: the file is damaged.
            OSError: it cannot be written.
        """
        if found:
            with hold(self.lock, LOCK_TIMEOUT_S):
                write_atomically(self.path, json.dumps({**found, **self._read()}, indent=1))

    def _read(self) -> dict[str, str]:
        try:
            known = json.loads(TRAILING_COMMA.sub("}", self.path.read_text("utf-8")))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise StorageError(
                f"{self.path} cannot be read ({error}); it holds the checksums of what was "
                "fetched first: restore it, or delete it to trust what comes next"
            ) from error
        if not isinstance(known, dict):
            raise StorageError(f"{self.path} does not hold checksums; restore or delete it")
        return known
