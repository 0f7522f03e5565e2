"""Real models and recordings that lie beside a checkout when they are there at all."""

import csv
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

SHARED = Path(
    os.environ.get("STT_TEST_DATA", Path(__file__).parents[2].parent / "shared")
).resolve()
MODEL = SHARED / "models" / "streaming-zipformer2-en-3.3m"

needs_shared = pytest.mark.skipif(
    not MODEL.is_dir(),
    reason="the reference model and recordings are not beside this checkout "
    "(set STT_TEST_DATA to their folder)",
)


@dataclass(frozen=True, slots=True)
class Recording:
    path: Path
    transcript: str
    speaker: str


def recordings(name: str, most: int | None = None) -> list[Recording]:
    """Read the manifest of one folder of recordings, in its order."""
    folder = SHARED / "speech" / name
    with (folder / "manifest.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [Recording(folder / row["file"], row["transcript"], row["speaker"]) for row in rows][
        :most
    ]
