"""What this process holds in memory, and giving back what it no longer needs."""

import ctypes
import gc
import os
from pathlib import Path

__all__ = ["release_memory", "resident_bytes"]

_STATM = Path("/proc/self/statm")


def resident_bytes() -> int:
    """Return the resident set size; 0 where the system does not tell."""
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def release_memory() -> None:
    """Collect what is unreachable and return free pages to the system.

    glibc keeps what was freed for itself until it is asked (malloc_trim(3)); other C libraries
    have no such call and need none.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
