"""What each module offers exists, and nothing heavy is loaded before it is needed."""

import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "wyoming_stt").rglob("*.py")
)

HEAVY = {"numpy", "onnxruntime", "av", "soxr", "zeroconf", "sentencepiece", "rich", "requests"}


def loaded_by(*arguments: str) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded after a program of that name."""
    code = (
        "import runpy, sys; sys.argv = sys.argv[1:]\n"
        "try: runpy.run_module(sys.argv[0], run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print('\\n' + ' '.join(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("module", MODULES)
def test_what_is_offered_exists(module: str) -> None:
    imported = importlib.import_module(module)
    offered = getattr(imported, "__all__", [])
    assert all(hasattr(imported, name) for name in offered)
    assert len(set(offered)) == len(offered)
    public = [
        name
        for name, value in vars(imported).items()
        if (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__ == module
        and not name.startswith("_")
    ]
    assert set(public) <= set(offered), "public names are named in __all__"


@pytest.mark.parametrize(
    "arguments", [["--help"], ["serve", "--help"], ["health", "--uri", "tcp://127.0.0.1:1"]]
)
def test_help_and_health_load_nothing_heavy(arguments: list[str]) -> None:
    assert loaded_by("wyoming_stt", *arguments) & HEAVY == set()


def test_a_server_loads_neither_the_file_decoder_nor_the_announcer() -> None:
    loaded = loaded_by("wyoming_stt.app")
    assert "onnxruntime" in loaded
    assert loaded & {"av", "soundfile", "zeroconf", "sentencepiece", "rich", "requests"} == set()
