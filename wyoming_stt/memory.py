"""What this process holds in memory, what it may still take, and giving back what it can."""

import ctypes
import gc
import os
import resource
from pathlib import Path
from typing import Final

from wyoming_stt.cgroup import memory_groups
from wyoming_stt.kernel_files import fields, read, whole

__all__ = ["available_bytes", "keep_blocks_apart", "release_memory", "resident_bytes"]

_ROOT = Path("/")
_M_MMAP_THRESHOLD: Final = -3
"""From glibc's malloc.h."""
_LARGE_BYTES: Final = 128 * 1024
"""glibc's own threshold, before it begins to raise it."""


def resident_bytes() -> int:
    """Return the resident set size; 0 where the system does not tell."""
    return _pages(1, _ROOT)


def available_bytes(root: Path = _ROOT) -> int | None:
    """Return what may be taken before the machine, the container or a limit of the process says no.

    None where nothing is known. Never fails.
    """
    left = [
        group.left for group in memory_groups(root / "sys/fs/cgroup", root / "proc/self/cgroup")
    ]
    available = dict(fields(read(root / "proc/meminfo"))).get("MemAvailable", "")
    if (kib := whole(available.removesuffix(" kB"))) is not None:
        left.append(1024 * kib)
    address_space, _ = resource.getrlimit(resource.RLIMIT_AS)
    if address_space != resource.RLIM_INFINITY:
        left.append(max(0, address_space - _pages(0, root)))
    return min(left, default=None)


def keep_blocks_apart() -> None:
    """Give every large block pages of its own, so that weights go back as soon as they are freed.

    glibc would raise its threshold for that when the first of them is freed (mallopt(3)); later
    ones would lie among small things that keep their pages: 15 MB more of a model of 17, and every
    exchange adds to it. Does nothing with other C libraries.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def release_memory() -> None:
    """Collect what is unreachable and return free pages to the system.

    glibc keeps what was freed for itself until it is asked (malloc_trim(3)); other C libraries
    have no such call and need none.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _pages(field: int, root: Path) -> int:
    """Read /proc/self/statm, in bytes: 0 is the address space, 1 the resident part."""
    pages = [whole(number) for number in read(root / "proc/self/statm").split()]
    return (pages[field] or 0) * os.sysconf("SC_PAGE_SIZE") if field < len(pages) else 0
