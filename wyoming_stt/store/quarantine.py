"""Damaged models, put aside so that nobody loads them and somebody may look at them."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from wyoming_stt.store.durable import replace, write_atomically
from wyoming_stt.store.manifest import ModelFiles

__all__ = ["Quarantine", "Quarantined"]

REASON: Final = "reason.json"


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Why a version was put aside, and when."""

    id: str
    version: str
    reason: str
    since: str


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The folder of what was put aside."""

    folder: Path

    def take(self, files: ModelFiles, reason: str) -> Path:
        """Move a version here and write down why.

        Raises:
            OSError: the disk refused.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        now = datetime.now(UTC)
        place = self.folder / f"{files.id}-{files.version}-{now:%Y%m%dT%H%M%S%f}"
        note = Quarantined(files.id, files.version, reason, now.isoformat(timespec="seconds"))
        replace(files.home, place)
        write_atomically(place / REASON, json.dumps(asdict(note)))
        return place

    def __iter__(self) -> Iterator[Quarantined]:
        for path in sorted(self.folder.glob(f"*/{REASON}")):
            try:
                yield Quarantined(**json.loads(path.read_text("utf-8")))
            except (OSError, ValueError, TypeError):
                continue  # a note that a kill tore; what it was about is out of use all the same
