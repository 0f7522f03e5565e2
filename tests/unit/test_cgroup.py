"""What control groups of both versions allow, as they look in a container and outside of one."""

from pathlib import Path

from wyoming_stt.cgroup import MemoryGroup, memory_groups


def groups(root: Path, own: str) -> list[MemoryGroup]:
    (root / "own").write_text(own)
    return memory_groups(root, root / "own")


def write(folder: Path, limit: str, used: str, stat: str, names: tuple[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (*zip(names, (limit, used), strict=True), ("memory.stat", stat)):
        (folder / name).write_text(content + "\n")


V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes")
V2 = ("memory.max", "memory.current")


def test_version_2_in_a_container(tmp_path: Path) -> None:
    write(tmp_path, "1000", "700", "anon 400\ninactive_file 200", V2)
    (group,) = groups(tmp_path, "0::/\n")
    assert (group.limit, group.used, group.left) == (1000, 500, 500)


def test_version_2_outside_counts_every_group_above(tmp_path: Path) -> None:
    write(tmp_path / "system.slice" / "stt.service", "max", "700", "", V2)
    write(tmp_path / "system.slice", "900", "1000", "inactive_file 0", V2)
    assert [g.left for g in groups(tmp_path, "0::/system.slice/stt.service\n")] == [0]


def test_version_1_in_a_container_that_knows_only_its_name_outside(tmp_path: Path) -> None:
    write(tmp_path / "memory", "1000", "600", "total_inactive_file 100\nrss 5", V1)
    own = "5:cpu:/\n4:memory:/docker/0123\n0::/\n"
    assert groups(tmp_path, own) == [MemoryGroup(1000, 500)]


def test_version_1_outside(tmp_path: Path) -> None:
    write(tmp_path / "memory", "9223372036854771712", "600", "", V1)
    write(tmp_path / "memory" / "a" / "b", "2000", "600", "", V1)
    assert groups(tmp_path, "4:memory:/a/b\n") == [MemoryGroup(2000, 600)]


def test_nothing_to_read_is_no_limit(tmp_path: Path) -> None:
    assert memory_groups(tmp_path / "absent", tmp_path / "absent") == []
