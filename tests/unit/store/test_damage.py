"""What was damaged after it was installed is found, named and put out of use."""

import errno
import os
from pathlib import Path

import pytest

from tests.support.hostile_http import HostileServer
from tests.support.pulling import NAMES, holds, loose
from wyoming_stt.errors import StorageError
from wyoming_stt.store import ModelStore, manifest


@pytest.mark.parametrize("name", [*NAMES])
@pytest.mark.parametrize("damage", ["flip", "cut", "delete"])
def test_damage_is_found_named_and_put_aside(
    store: ModelStore, server: HostileServer, name: str, damage: str
) -> None:
    store.pull(loose(server, "1"))
    files = store.pull(loose(server, "2")).files
    path = files.folder / name
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    if damage == "delete":
        path.unlink()
    else:
        path.write_bytes(content if damage == "flip" else content[:-1])
    assert store.verify(files, every_byte=False) == [name]
    assert store.verify(files) == [name]
    store.quarantine(files, f"{name} is damaged")
    assert holds(store.installed("en"), "1")
    (aside,) = store.quarantined()
    assert (aside.id, aside.version, aside.reason) == ("en", "2", f"{name} is damaged")
    store.pull(loose(server, "2"))
    assert holds(store.installed("en"), "2")


def test_a_flip_that_keeps_size_and_time_is_found_by_reading(
    store: ModelStore, server: HostileServer
) -> None:
    files = store.pull(loose(server)).files
    path = files.folder / "decoder.onnx"
    before = path.stat()
    path.write_bytes(bytes(before.st_size))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert store.verify(files, every_byte=False) == []
    assert store.verify(files) == ["decoder.onnx"]


def test_what_cannot_be_read_now_is_not_damaged(
    store: ModelStore, server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = store.pull(loose(server)).files

    def refuse(_: Path) -> str:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    with monkeypatch.context() as patched:
        patched.setattr(manifest, "hash_file", refuse)
        with pytest.raises(StorageError, match=r"cannot read .*/en: Permission denied"):
            store.verify(files)
    assert store.verify(files) == []


def test_a_restored_copy_is_not_damaged(store: ModelStore, server: HostileServer) -> None:
    files = store.pull(loose(server)).files
    os.utime(files.folder / "decoder.onnx", ns=(1, 1))
    assert [file.path for file in files.changed()] == ["decoder.onnx"]
    assert store.verify(files, every_byte=False) == []


def test_a_good_model_that_came_meanwhile_is_not_put_aside(
    store: ModelStore, server: HostileServer
) -> None:
    entry_ = loose(server)
    files = store.pull(entry_).files
    (files.folder / "decoder.onnx").write_bytes(b"")
    store.pull(entry_)
    assert store.quarantine(files, "found damaged before") == files.home
    assert holds(store.installed("en"), "1")
    store.remove("en")
    store.quarantine(files, "found damaged before")
    assert len(store.quarantined()) == 1


def test_a_damaged_model_is_replaced_when_it_is_pulled_again(
    store: ModelStore, server: HostileServer
) -> None:
    entry_ = loose(server)
    files = store.pull(entry_).files
    (files.folder / "decoder.onnx").write_bytes(b"")
    assert store.pull(entry_).fetched
    assert holds(store.installed("en"), "1")
    assert len(store.quarantined()) == 1
