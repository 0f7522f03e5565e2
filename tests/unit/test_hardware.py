import os
import platform
import time
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_stt.hardware import INTERESTING, detect
from wyoming_stt.memory import available_bytes, resident_bytes

SOON_S = 0.05
ALLOWED = sorted(os.sched_getaffinity(0))
FILES = (
    "proc/cpuinfo",
    "proc/meminfo",
    "proc/self/cgroup",
    "proc/self/statm",
    "proc/device-tree/model",
    "sys/fs/cgroup/cpu.max",
    "sys/fs/cgroup/memory.max",
    "sys/fs/cgroup/memory.current",
    "sys/fs/cgroup/memory.stat",
    "sys/fs/cgroup/cpu/cpu.cfs_quota_us",
    "sys/fs/cgroup/cpu/cpu.cfs_period_us",
    "sys/fs/cgroup/memory/memory.limit_in_bytes",
)
NEARLY = (
    *("max", "-1", "0", "50000", "50000 ", "50000 0", "50000 max", "1" * 5000, "²", "٣"),
    *("MemTotal: x kB", "MemTotal:", "MemAvailable: -1 kB", "processor\t: 0"),
    *("0::/../..", "0::/\0", ":::"),
)
GARBAGE = st.one_of(st.binary(max_size=60), st.sampled_from(NEARLY).map(str.encode))


def machine(root: Path, files: dict[str, str]) -> Path:
    """Lay out what the kernel tells."""
    for name, content in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return root


def processors(cores_of: dict[int, tuple[int, int]]) -> str:
    flags = " ".join(INTERESTING * 8)
    return "\n".join(
        f"processor\t: {number}\nmodel name\t: Thing\nphysical id\t: {socket}\n"
        f"core id\t\t: {core}\nflags\t\t: {flags}\n"
        for number, (socket, core) in cores_of.items()
    )


def test_the_machine_is_seen_as_others_see_it() -> None:
    hardware = detect()
    assert hardware.cpu
    assert 1 <= hardware.cores <= (os.cpu_count() or 1)
    assert hardware.physical_cores is not None
    assert 1 <= hardware.physical_cores <= hardware.cores
    assert set(hardware.features) <= set(INTERESTING)
    assert 0 < hardware.memory_bytes <= psutil.virtual_memory().total
    assert resident_bytes() < (hardware.available_bytes or 0) <= hardware.memory_bytes


def test_it_takes_no_time() -> None:
    assert quickest(Path("/")) < SOON_S


def test_not_on_a_large_machine_either(tmp_path: Path) -> None:
    cpuinfo = processors({number: (number % 2, number // 4) for number in range(256)})
    assert len(cpuinfo) > 200_000
    assert quickest(machine(tmp_path, {"proc/cpuinfo": cpuinfo})) < SOON_S


def quickest(root: Path) -> float:
    taken = []
    for _ in range(5):
        began = time.perf_counter()
        detect(root)
        taken.append(time.perf_counter() - began)
    return min(taken)


@pytest.mark.parametrize(
    ("quota", "cores"),
    [
        ("50000 100000\n", 1),
        ("100000\n", 1),
        ("max 100000\n", len(ALLOWED)),
        ("max\n", len(ALLOWED)),
        ("100000 0\n", 1),
        ("", len(ALLOWED)),
    ],
)
def test_a_quota_counts_whole_cores(tmp_path: Path, quota: str, cores: int) -> None:
    machine(tmp_path, {"sys/fs/cgroup/cpu.max": quota})
    assert detect(tmp_path).cores == cores


@pytest.mark.parametrize(("quota", "cores"), [("100000\n", 1), ("-1\n", len(ALLOWED))])
def test_a_quota_of_version_1_counts_too(tmp_path: Path, quota: str, cores: int) -> None:
    machine(
        tmp_path,
        {
            "proc/self/cgroup": "3:cpu,cpuacct:/docker/0123\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": quota,
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        },
    )
    assert detect(tmp_path).cores == cores


def test_a_quota_of_a_service_counts_too(tmp_path: Path) -> None:
    machine(
        tmp_path,
        {
            "proc/self/cgroup": "0::/system.slice/stt.service\n",
            "sys/fs/cgroup/system.slice/cpu.max": "100000 100000\n",
        },
    )
    assert detect(tmp_path).cores == 1


def test_threads_of_one_core_are_one_physical_core(tmp_path: Path) -> None:
    pairs = {number: (0, index // 2) for index, number in enumerate(ALLOWED)}
    hardware = detect(machine(tmp_path, {"proc/cpuinfo": processors(pairs)}))
    assert (hardware.cores, hardware.physical_cores) == (len(ALLOWED), (len(ALLOWED) + 1) // 2)
    assert hardware.unknown == ("memory", "available memory")


def test_the_same_number_in_another_socket_is_another_core(tmp_path: Path) -> None:
    sockets = {number: (number, 0) for number in ALLOWED}
    hardware = detect(machine(tmp_path, {"proc/cpuinfo": processors(sockets)}))
    assert hardware.physical_cores == len(ALLOWED)


def test_a_limit_is_known_where_the_memory_is_not(tmp_path: Path) -> None:
    machine(tmp_path, {"sys/fs/cgroup/memory.max": "1048576\n"})
    hardware = detect(tmp_path)
    assert hardware.memory_bytes == 1 << 20
    assert "memory" not in hardware.unknown
    machine(tmp_path, {"proc/meminfo": "MemTotal:  512 kB\n"})
    assert detect(tmp_path).memory_bytes == 1 << 19


def test_a_board_is_named(tmp_path: Path) -> None:
    cpuinfo = "processor : 0\nFeatures : asimd\nCPU part : 0xd08\n\nModel : Raspberry Pi 4\n"
    model = "Raspberry Pi 4 Model B Rev 1.4\0"
    machine(tmp_path, {"proc/cpuinfo": cpuinfo, "proc/device-tree/model": model})
    hardware = detect(tmp_path)
    assert (hardware.board, hardware.cpu) == (model.strip("\0"), "Raspberry Pi 4")
    assert (hardware.cpu_part, hardware.features) == ("0xd08", ("asimd",))


def test_a_machine_that_tells_nothing_is_no_failure(tmp_path: Path) -> None:
    hardware = detect(tmp_path)
    assert (hardware.features, hardware.memory_bytes) == ((), 0)
    assert hardware.cpu == os.uname().machine
    assert {"instruction sets", "memory", "available memory"} <= set(hardware.unknown)
    if platform.machine() == "x86_64":
        assert hardware.physical_cores == max(1, len(ALLOWED) // 2)
        assert "physical cores" in hardware.unknown
    assert (available_bytes(tmp_path), hardware.available_bytes) == (None, None)


@given(st.lists(GARBAGE, min_size=len(FILES), max_size=len(FILES)))
def test_no_garbage_makes_it_fail(
    tmp_path_factory: pytest.TempPathFactory, contents: list[bytes]
) -> None:
    root = tmp_path_factory.mktemp("machine")
    for name, content in zip(FILES, contents, strict=True):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    hardware = detect(root)
    assert 1 <= (hardware.physical_cores or 0) <= hardware.cores <= len(ALLOWED)
    assert hardware.memory_bytes >= 0
    assert (available_bytes(root) or 0) >= 0
