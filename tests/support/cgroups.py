"""A control group of a test's own, where this machine lets us make one."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

__all__ = ["memory_group"]

_MOUNT = Path("/sys/fs/cgroup")


class MemoryGroup:
    def __init__(self, folder: Path, limit_file: str) -> None:
        self.processes = folder / "cgroup.procs"
        """A process that writes its number here is in it."""
        self._limit = folder / limit_file

    def limit(self, num_bytes: int) -> None:
        self._limit.write_text(str(num_bytes))


@contextlib.contextmanager
def memory_group(num_bytes: int) -> Iterator[MemoryGroup]:
    """Make a group with so much memory; skip the test where that is not possible."""
    own = {
        controllers: path
        for _, controllers, path in (
            line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()
        )
    }
    version_1 = _MOUNT / "memory"
    if "memory" in own and version_1.is_dir():
        parent, file = version_1 / own["memory"].strip("/"), "memory.limit_in_bytes"
    else:
        parent, file = _MOUNT / own.get("", "/").strip("/"), "memory.max"
    folder = (parent if parent.is_dir() else version_1) / "wyoming-stt-test"
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made: {error}")
    try:
        group = MemoryGroup(folder, file)
        try:
            group.limit(num_bytes)
        except OSError as error:
            pytest.skip(f"no memory limit can be set: {error}")
        yield group
    finally:
        folder.rmdir()
