"""An archive may say what it likes: only plain files are written, and only where they may be."""

import bz2
import tarfile
import threading
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.archives import archive, directory, entry, special
from wyoming_stt.errors import ArchiveError, ShuttingDownError
from wyoming_stt.store.unpack import Limits, Unpacker


def unpack(content: bytes, folder: Path, unpacker: Unpacker | None = None) -> dict[str, bytes]:
    """Unpack into `folder`/out, and return what is there by name."""
    packed, out = folder / "model.tar.bz2", folder / "out"
    packed.write_bytes(content)
    out.mkdir(exist_ok=True)
    (unpacker or Unpacker()).unpack(packed, out)
    return files_in(out)


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_files_are_unpacked_with_our_permissions(tmp_path: Path) -> None:
    member = entry("model/encoder.onnx", b"weights")
    member[0].mode, member[0].uid = 0o4777, 4321
    found = unpack(archive([directory("model"), member, entry("model/lang/tokens.txt")]), tmp_path)
    assert found == {"model/encoder.onnx": b"weights", "model/lang/tokens.txt": b"content"}
    mode = (tmp_path / "out/model/encoder.onnx").stat().st_mode
    assert mode & 0o7111 == 0


def test_only_what_is_asked_for_is_unpacked(tmp_path: Path) -> None:
    names = ["m/encoder.onnx", "m/encoder.int8.onnx", "m/test_wavs/0.wav", "m/._encoder.onnx"]
    found = unpack(
        archive(map(entry, names)), tmp_path, Unpacker(keep=("*.int8.onnx", "._*", "*.txt"))
    )
    assert list(found) == ["m/encoder.int8.onnx"]


@pytest.mark.parametrize(
    "name",
    [
        "../escaped",
        "model/../../escaped",
        "/etc/escaped",
        "a/b/../c",
        "a\\..\\b",
        "C:escaped",
        "..",
    ],
)
def test_a_name_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ArchiveError, match="leads out"):
        unpack(archive([entry("model/good"), entry(name)]), tmp_path)
    assert set(files_in(tmp_path)) <= {"model.tar.bz2", "out/model/good"}


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE],
)
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    with pytest.raises(ArchiveError, match="link or a device"):
        unpack(archive([special("model/tokens.txt", kind, "/etc/passwd")]), tmp_path)
    assert files_in(tmp_path / "out") == {}


def test_a_link_that_nobody_wants_is_passed_over(tmp_path: Path) -> None:
    members = [special("m/latest", tarfile.SYMTYPE, "/etc"), entry("m/latest/tokens.txt")]
    found = unpack(archive(members), tmp_path, Unpacker(keep=("*.txt",)))
    assert list(found) == ["m/latest/tokens.txt"]


@pytest.mark.parametrize("names", [["a/b", "a/b"], ["a", "a/b"], ["a/b", "a"]])
def test_a_name_is_written_once(tmp_path: Path, names: list[str]) -> None:
    with pytest.raises(ArchiveError, match="twice"):
        unpack(archive(map(entry, names)), tmp_path)


def test_a_bomb_ends_at_the_limit(tmp_path: Path) -> None:
    bomb = archive([entry("model/encoder.onnx", bytes(5_000_000))])
    assert len(bomb) < 10_000
    limits = Limits(least_bytes=1_000_000, ratio=50)
    with pytest.raises(ArchiveError, match="unpacks to more than 1000000 bytes"):
        unpack(bomb, tmp_path, Unpacker(limits=limits))
    assert sum(map(len, files_in(tmp_path / "out").values())) <= 1_000_000


def test_a_bomb_in_a_file_that_nobody_wants_ends_at_the_limit(tmp_path: Path) -> None:
    bomb = archive([entry("model/silence.wav", bytes(5_000_000))])
    limits = Limits(least_bytes=1_000_000)
    with pytest.raises(ArchiveError, match="unpacks to more"):
        unpack(bomb, tmp_path, Unpacker(keep=("*.onnx",), limits=limits))


def test_a_header_cannot_fill_the_memory(tmp_path: Path) -> None:
    bomb = archive([entry("m/" + "x" * 50_000_000)], gnu=True)
    (tmp_path / "model.tar.bz2").write_bytes(bomb)
    tracemalloc.start()
    with pytest.raises(ArchiveError, match="a header of"):
        Unpacker().unpack(tmp_path / "model.tar.bz2", tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


def test_the_number_of_entries_is_bounded(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="more than 10 entries"):
        unpack(
            archive(entry(f"m/{n}") for n in range(11)),
            tmp_path,
            Unpacker(limits=Limits(members=10)),
        )


@pytest.mark.parametrize("name", ["m/" + "x" * 201, "/".join("abcdefghij")])
def test_a_name_too_long_for_a_file_system_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ArchiveError, match="too long a name"):
        unpack(archive([entry(name)]), tmp_path)


def test_a_damaged_header_is_not_the_end(tmp_path: Path) -> None:
    plain = bytearray(bz2.decompress(archive([entry("m/a"), entry("m/b")])))
    plain[1024 + 5] ^= 1
    with pytest.raises(ArchiveError, match="header is damaged"):
        unpack(bz2.compress(bytes(plain)), tmp_path)


def test_several_streams_of_which_some_are_missing_are_not_one(tmp_path: Path) -> None:
    plain = bz2.decompress(archive([entry("m/a", b"x" * 512), entry("m/b")]))
    with pytest.raises(ArchiveError, match="ends before its end"):
        unpack(bz2.compress(plain[:1024]), tmp_path)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_headers_of_headers_come_to_an_end(tmp_path: Path, kind: bytes) -> None:
    header = tarfile.TarInfo("m/a")
    header.type, header.size = kind, 12
    block = header.tobuf(tarfile.USTAR_FORMAT) + b"12 path=m/a\n".ljust(512, b"\0")
    plain = block * 3000 + bz2.decompress(archive([entry("m/a")]))
    with suppress(ArchiveError):  # or a `tarfile` that does not mind
        assert set(unpack(bz2.compress(plain), tmp_path)) == {"m/a"}


def test_several_streams_are_one(tmp_path: Path) -> None:
    plain = bz2.decompress(archive([entry("m/a", b"x" * 30_000)]))
    joined = bz2.compress(plain[:9_000]) + bz2.compress(plain[9_000:])
    assert unpack(joined, tmp_path) == {"m/a": b"x" * 30_000}


def test_unpacking_can_be_stopped(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(ShuttingDownError):
        unpack(archive([entry("m/a")]), tmp_path, Unpacker(stop=stop))


HONEST = archive([entry(f"model/{n}", bytes([n]) * 700 * n) for n in range(1, 12)])


@given(cut=st.integers(0, len(HONEST) - 1))
def test_an_archive_cut_short_is_damaged(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    with pytest.raises(ArchiveError):
        unpack(HONEST[:cut], tmp_path_factory.mktemp("cut"))


@given(at=st.integers(0, len(HONEST) - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_is_found_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, at: int, bit: int
) -> None:
    flipped = bytearray(HONEST)
    flipped[at] ^= 1 << bit
    folder = tmp_path_factory.mktemp("flipped")
    try:
        found = unpack(bytes(flipped), folder)
    except ArchiveError:
        return
    assert found == unpack(HONEST, tmp_path_factory.mktemp("honest"))


_names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30)
_paths = st.one_of(
    _names,
    st.lists(st.sampled_from(["..", ".", "", "a", "b", "model", "/", "a\\b"]), max_size=6).map(
        "/".join
    ),
)
_kinds = st.sampled_from(
    [tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE]
)


@given(
    members=st.lists(st.tuples(_paths, _kinds, _paths, st.binary(max_size=50)), max_size=8),
    gnu=st.booleans(),
)
def test_nothing_is_ever_written_elsewhere(
    tmp_path_factory: pytest.TempPathFactory,
    members: list[tuple[str, bytes, str, bytes]],
    *,
    gnu: bool,
) -> None:
    folder = tmp_path_factory.mktemp("any")
    made = [
        entry(name, content) if kind == tarfile.REGTYPE else special(name, kind, target)
        for name, kind, target, content in members
    ]
    packed = archive(made, gnu=gnu)
    with suppress(ArchiveError):
        unpack(packed, folder)
    assert {path.name for path in folder.iterdir()} == {"model.tar.bz2", "out"}
    assert not any(path.is_symlink() for path in folder.rglob("*"))
    contents = {content for _, kind, _, content in members if kind == tarfile.REGTYPE}
    assert set(files_in(folder / "out").values()) <= contents


@given(content=st.binary(max_size=3000))
def test_any_bytes_at_all_are_no_archive(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    for packed in (content, bz2.compress(content)):
        try:
            found = unpack(packed, folder)
        except ArchiveError:
            continue
        assert found == {}
