"""What this machine offers, as far as Linux tells: cores, instruction sets, memory."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wyoming_stt.cgroup import memory_groups

__all__ = ["Hardware", "detect"]

INTERESTING: Final = (
    # What onnxruntime's kernels choose by, slowest first; x86, then Arm as Linux names it.
    *(
        "sse4_1",
        "sse4_2",
        "avx",
        "f16c",
        "avx2",
        "fma",
        "avx_vnni",
        "avx512f",
        "avx512_vnni",
        "amx_int8",
    ),
    *("asimd", "asimdhp", "asimddp", "i8mm", "bf16", "sve"),
)
_CPUINFO = Path("/proc/cpuinfo")
_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")
_DEVICE_TREE = Path("/proc/device-tree/model")


@dataclass(frozen=True, slots=True)
class Hardware:
    """Facts about the machine, or about the container's share of it."""

    cpu: str
    cores: int
    """Those this process may run on, fewer if a container's quota says so."""
    features: tuple[str, ...]
    memory_bytes: int
    """Of the machine, or what the container may use."""
    architecture: str = "unknown"
    """As Linux names it: x86_64, aarch64."""
    board: str | None = None
    """The board's name, where firmware tells it: "Raspberry Pi 5 Model B Rev 1.0"."""
    cpu_part: str | None = None
    """Arm's number of the core's design: 0xd03 is the Cortex-A53, 0xd08 the A72."""
    unknown: tuple[str, ...] = ()
    """What could not be read; a cautious guess stands in its place."""


def detect() -> Hardware:
    """Look at the machine: files of the kernel only, in a few milliseconds. Never fails."""
    cpu = _fields(_CPUINFO)
    flags = (cpu.get("flags") or cpu.get("Features") or "").split()
    memory_bytes = _memory_bytes()
    known = {"instruction sets": bool(flags), "memory": bool(memory_bytes)}
    return Hardware(
        cpu=cpu.get("model name") or cpu.get("Model") or os.uname().machine,
        cores=_cores(),
        features=tuple(name for name in INTERESTING if name in flags),
        memory_bytes=memory_bytes,
        architecture=os.uname().machine,
        board=_read(_DEVICE_TREE).strip("\0") or None,
        cpu_part=cpu.get("CPU part"),
        unknown=tuple(name for name, is_known in known.items() if not is_known),
    )


def _cores() -> int:
    cores = len(os.sched_getaffinity(0))
    quota, _, period = _read(_CGROUP / "cpu.max").partition(" ")
    if quota.isdecimal():
        cores = min(cores, max(1, int(quota) // int(period)))
    return cores


def _memory_bytes() -> int:
    total = int(_fields(_MEMINFO).get("MemTotal", "0").removesuffix(" kB")) * 1024
    return min([total, *(group.limit for group in memory_groups(_CGROUP))])


def _fields(file: Path) -> dict[str, str]:
    """Read `name : value` lines; the first of each name, so the first processor."""
    fields: dict[str, str] = {}
    for line in _read(file).splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    return fields


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
