"""The client that everybody has."""

import subprocess
from pathlib import Path

__all__ = ["curl"]


def curl(*arguments: str | Path) -> str:
    done = subprocess.run(["curl", "-sS", *arguments], capture_output=True, text=True, check=True)
    return done.stdout
