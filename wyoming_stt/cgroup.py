"""What Linux's control groups, of both versions, let this process use."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["MemoryGroup", "memory_groups"]

_MOUNT = Path("/sys/fs/cgroup")
_SELF = Path("/proc/self/cgroup")
_NO_LIMIT: Final = 1 << 60
"""Version 1 says "none" with a number near 2^63."""


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


def _paths(own: Path, controller: str) -> Iterator[str]:
    """Yield the group of this process and all above it, as paths below the mount."""
    for line in _read(own).splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controller in controllers.split(","):
            parts = path.strip("/").split("/")
            # A container sees its own group as the root, whatever its name outside is.
            yield from ("/".join(parts[:count]) for count in range(len(parts), 0, -1) if parts[0])
    yield ""


def _group(folder: Path, names: _Names) -> MemoryGroup | None:
    limit = _read(folder / names.limit)
    if not limit.isdecimal() or int(limit) >= _NO_LIMIT:
        return None
    used = _read(folder / names.used)
    fields = dict(line.split() for line in _read(folder / "memory.stat").splitlines())
    reclaimable = int(fields.get(names.reclaimable, "0"))
    return MemoryGroup(int(limit), max(0, int(used or "0") - reclaimable))


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except OSError:
        return ""
