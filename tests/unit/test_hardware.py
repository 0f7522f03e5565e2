import os

import psutil

from wyoming_stt.hardware import INTERESTING, detect


def test_the_machine_is_seen_as_others_see_it() -> None:
    hardware = detect()
    assert hardware.cpu
    assert 1 <= hardware.cores <= (os.cpu_count() or 1)
    assert set(hardware.features) <= set(INTERESTING)
    assert 0 < hardware.memory_bytes <= psutil.virtual_memory().total


def test_a_quota_counts_whole_cores(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("wyoming_stt.hardware._CGROUP", tmp_path)
    (tmp_path / "memory.max").write_text("1048576\n")
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    assert (detect().cores, detect().memory_bytes) == (1, 1 << 20)
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert detect().cores == len(os.sched_getaffinity(0))
    assert detect().memory_bytes > 1 << 20


def test_a_machine_that_tells_nothing_is_no_failure(tmp_path, monkeypatch) -> None:
    for name in ("_CPUINFO", "_MEMINFO", "_CGROUP"):
        monkeypatch.setattr(f"wyoming_stt.hardware.{name}", tmp_path / "absent")
    hardware = detect()
    assert (hardware.features, hardware.memory_bytes) == ((), 0)
    assert hardware.cpu == os.uname().machine
