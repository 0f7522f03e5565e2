"""How much memory the process holds."""

import resource
from pathlib import Path
from typing import Final

__all__ = ["resident_bytes"]

_STATM: Final = Path("/proc/self/statm")


def resident_bytes() -> int:
    """Return the resident set; 0 where the kernel does not tell."""
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return 0
