"""What Linux's control groups, of both versions, let this process use."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wyoming_stt.kernel_files import fields, read, whole

__all__ = ["MemoryGroup", "cpu_limit", "memory_groups"]

_MOUNT = Path("/sys/fs/cgroup")
_SELF = Path("/proc/self/cgroup")
_NO_LIMIT: Final = 1 << 60
"""Version 1 says "none" with a number near 2^63."""
_PERIOD_US: Final = 100_000
"""What the kernel takes where it is told no period."""


@dataclass(frozen=True, slots=True)
class MemoryGroup:
    """A group with a limit; in bytes."""

    limit: int
    used: int
    """Without files' pages that would be given up first."""

    @property
    def left(self) -> int:
        """What may still be taken."""
        return max(0, self.limit - self.used)


@dataclass(frozen=True, slots=True)
class _Names:
    """What one version calls its files, and where it lies."""

    folders: tuple[str, ...]
    controller: str
    limit: str
    used: str
    reclaimable: str


_VERSIONS: Final = (
    _Names(("", "unified"), "", "memory.max", "memory.current", "inactive_file"),
    _Names(
        ("memory",),
        "memory",
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        "total_inactive_file",
    ),
)


def memory_groups(mount: Path = _MOUNT, own: Path = _SELF) -> list[MemoryGroup]:
    """Return the limited groups that this process is in, those above its own included.

    Never fails: what cannot be read limits nothing.
    """
    found = (
        _group(mount / folder / path, names)
        for names in _VERSIONS
        for folder in names.folders
        for path in _paths(own, names.controller)
    )
    return [group for group in found if group is not None]


def cpu_limit(mount: Path = _MOUNT, own: Path = _SELF) -> float | None:
    """Return how many processors' time this process may use, where a group says so.

    Never fails: what cannot be read limits nothing.
    """
    found = (
        _quota(mount / folder / path)
        for folders, controller in ((("", "unified"), ""), (("cpu", "cpu,cpuacct"), "cpu"))
        for folder in folders
        for path in _paths(own, controller)
    )
    return min((quota for quota in found if quota is not None), default=None)


def _quota(folder: Path) -> float | None:
    """Read a group's quota, whichever version it is of."""
    both = read(folder / "cpu.max") or (
        f"{read(folder / 'cpu.cfs_quota_us')} {read(folder / 'cpu.cfs_period_us')}"
    )
    quota, _, period = both.partition(" ")
    quota_us, period_us = whole(quota), whole(period.strip()) or _PERIOD_US
    return quota_us / period_us if quota_us else None


def _paths(own: Path, controller: str) -> Iterator[str]:
    """Yield the group of this process and all above it, as paths below the mount."""
    for _, rest in fields(read(own)):
        controllers, _, path = rest.partition(":")
        if controller in controllers.split(","):
            parts = path.strip("/").split("/")
            # A container sees its own group as the root, whatever its name outside is.
            yield from ("/".join(parts[:count]) for count in range(len(parts), 0, -1) if parts[0])
    yield ""


def _group(folder: Path, names: _Names) -> MemoryGroup | None:
    limit = whole(read(folder / names.limit))
    if limit is None or limit >= _NO_LIMIT:
        return None
    used = whole(read(folder / names.used)) or 0
    facts = dict(fields(read(folder / "memory.stat"), None))
    reclaimable = whole(facts.get(names.reclaimable, "")) or 0
    return MemoryGroup(limit, max(0, used - reclaimable))
