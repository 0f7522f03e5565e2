"""What this machine offers, as far as Linux tells: cores, instruction sets, memory."""

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wyoming_stt.cgroup import cpu_limit, memory_groups
from wyoming_stt.kernel_files import fields, read, whole
from wyoming_stt.memory import available_bytes, resident_bytes

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
_ROOT = Path("/")
_THREADS_A_CORE: Final = {"x86_64": 2}
"""Where it is not told: the most that is usual. Boards with Arm's processors have one."""


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
    available_bytes: int | None = None
    """Memory that is free or this process's own already; None where it is not known."""
    physical_cores: int | None = None
    """Of `cores`, those that are not another thread of the same core; None: nobody looked."""
    unknown: tuple[str, ...] = ()
    """What could not be read; a cautious guess stands in its place."""


def detect(root: Path = _ROOT) -> Hardware:
    """Look at the machine: files of the kernel only, in a few milliseconds. Never fails."""
    cpuinfo = read(root / "proc/cpuinfo")
    cpu = dict(reversed([*fields(cpuinfo)]))  # the first of each name
    flags = (cpu.get("flags") or cpu.get("Features") or "").split()
    architecture = os.uname().machine
    allowed = os.sched_getaffinity(0)
    limit = cpu_limit(root / "sys/fs/cgroup", root / "proc/self/cgroup") or math.inf
    share = max(1, math.floor(min(len(allowed), limit)))
    physical = _physical_cores(cpuinfo, allowed)
    guess = max(1, len(allowed) // _THREADS_A_CORE.get(architecture, 1))
    memory_bytes = _memory_bytes(root)
    available = available_bytes(root)
    known = {
        "instruction sets": flags,
        "physical cores": physical or architecture not in _THREADS_A_CORE,
        "memory": memory_bytes,
        "available memory": available is not None,
    }
    return Hardware(
        cpu=cpu.get("model name") or cpu.get("Model") or architecture,
        cores=share,
        features=tuple(name for name in INTERESTING if name in flags),
        memory_bytes=memory_bytes,
        architecture=architecture,
        board=read(root / "proc/device-tree/model").strip("\0") or None,
        cpu_part=cpu.get("CPU part"),
        available_bytes=None if available is None else available + resident_bytes(),
        physical_cores=min(share, physical or guess),
        unknown=tuple(name for name, is_known in known.items() if not is_known),
    )


def _physical_cores(cpuinfo: str, allowed: set[int]) -> int | None:
    """Count the cores that the allowed processors are threads of; None where it is not told."""
    cores = {}
    for entry in cpuinfo.split("\n\n"):
        facts = dict(fields(entry))
        number = whole(facts.get("processor", ""))
        if number in allowed and {"physical id", "core id"} <= facts.keys():
            cores[number] = (facts["physical id"], facts["core id"])
    return len(set(cores.values())) if cores.keys() == allowed else None


def _memory_bytes(root: Path) -> int:
    """Return the least of what is known; 0 where nothing is."""
    known = [
        group.limit for group in memory_groups(root / "sys/fs/cgroup", root / "proc/self/cgroup")
    ]
    total = dict(fields(read(root / "proc/meminfo"))).get("MemTotal", "")
    if kib := whole(total.removesuffix(" kB")):
        known.append(1024 * kib)
    return min(known, default=0)
