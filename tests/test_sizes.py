"""A module that does not fit in a head is two modules."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("wyoming_stt", "tests", "bench", "training", "docs")
MOST_LINES = 300

LINES = {
    str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
    for folder in FOLDERS
    for path in (ROOT / folder).rglob("*.py")
}


def test_every_module_is_small() -> None:
    assert {path: lines for path, lines in LINES.items() if lines > MOST_LINES} == {}


def test_most_modules_are_far_smaller() -> None:
    package = sorted(lines for path, lines in LINES.items() if path.startswith("wyoming_stt"))
    assert package[len(package) // 2] <= MOST_LINES // 2
