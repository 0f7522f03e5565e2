"""Checksums that nobody publishes: recorded at first fetch, and held to from then on."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wyoming_stt.errors import StorageError
from wyoming_stt.store.durable import write_atomically
from wyoming_stt.store.lock import hold

__all__ = ["RecordedChecksums"]

LOCK_TIMEOUT_S: Final = 10.0
"""The file is held for milliseconds."""


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

    def record(self, url: str, sha256: str) -> None:
        """Hold to this checksum from now on; what was recorded before stays.

        Raises:
            StorageError: the file is damaged.
            OSError: it cannot be written.
        """
        with hold(self.lock, LOCK_TIMEOUT_S):
            known = self._read()
            if url not in known:
                write_atomically(self.path, json.dumps({**known, url: sha256}, indent=1))

    def _read(self) -> dict[str, str]:
        try:
            known = json.loads(self.path.read_text("utf-8"))
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
