"""A model never takes the last of a disk, whatever is known of its size and when."""

import shutil
from collections.abc import Callable
from threading import Event

import pytest

from tests.support import hostile_http as http
from tests.support.archives import archive, entry
from tests.support.hostile_http import HostileServer
from tests.support.pulling import archived, holds, loose
from wyoming_stt.errors import StorageError
from wyoming_stt.store import ModelStore
from wyoming_stt.store.install import RESERVE_BYTES, Installer

MIB = 1 << 20


@pytest.fixture
def disk(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Make the store's disk so large that so much is free beyond the reserve."""

    def resize(free: int) -> None:
        capacity = free + taken(store) + RESERVE_BYTES
        monkeypatch.setattr(
            shutil,
            "disk_usage",
            lambda _: shutil._ntuple_diskusage(capacity, 0, capacity - taken(store)),
        )

    return resize


def taken(store: ModelStore) -> int:
    return sum(path.stat().st_size for path in store.layout.models.rglob("*") if path.is_file())


def test_more_than_the_disk_holds_is_refused_before_the_download(store: ModelStore) -> None:
    store.layout.models.mkdir()
    installer = Installer(store.layout, store.options, lambda _: None, Event())
    with pytest.raises(StorageError, match="MiB are needed: free some"):
        installer._expect_free(1 << 60)


def test_a_size_that_is_missing_does_not_hide_the_others(
    store: ModelStore, server: HostileServer, disk: Callable[[int], None]
) -> None:
    entry_ = loose(server, size=500_000)
    first, *others = entry_.files
    unknown = first.model_copy(update={"size": None, "sha256": None})
    disk(1_400_000)
    with pytest.raises(StorageError, match="MiB are needed"):
        store.pull(entry_.model_copy(update={"files": (unknown, *others)}))
    assert not any(page.requests for page in server.pages.values())


def test_what_another_version_left_is_not_counted_as_here(
    store: ModelStore, server: HostileServer, disk: Callable[[int], None]
) -> None:
    folder = store.layout.downloads("en")
    folder.mkdir(parents=True)
    (folder / "other.part").write_bytes(bytes(200_000))
    disk(100_000)
    with pytest.raises(StorageError, match="MiB are needed"):
        store.pull(loose(server))
    assert not any(page.requests for page in server.pages.values())


def test_a_size_that_only_the_server_knows_is_looked_at_before_the_file_is_read(
    store: ModelStore, server: HostileServer, disk: Callable[[int], None]
) -> None:
    entry_ = loose(server, size=200_000, checksums=False)
    disk(500_000)
    with pytest.raises(StorageError, match="MiB are needed"):
        store.pull(entry_)
    assert taken(store) < 500_000
    assert store.installed("en") is None


def test_a_size_that_nobody_knows_is_looked_at_while_it_comes(
    store: ModelStore, server: HostileServer, disk: Callable[[int], None]
) -> None:
    entry_ = loose(server, checksums=False)
    server.page("/1/encoder.int8.onnx", bytes(10 * MIB), http.without_length())
    disk(3 * MIB)
    with pytest.raises(StorageError, match="MiB are needed"):
        store.pull(entry_)
    assert taken(store) <= 4 * MIB


def test_an_archive_needs_room_to_be_unpacked(
    store: ModelStore, server: HostileServer, disk: Callable[[int], None]
) -> None:
    entry_ = archived(server, size=200_000, checksums=False)
    disk(1_000_000)
    with pytest.raises(StorageError, match="MiB are needed"):
        store.pull(entry_)
    assert taken(store) < 1000, "no more than whose bytes were to come"
    disk(2_600_000)
    assert store.pull(entry_).fetched


@pytest.mark.parametrize("checksums", [True, False])
def test_an_archive_that_grows_more_than_others_is_stopped_and_not_left_there(
    store: ModelStore, server: HostileServer, disk: Callable[[int], None], *, checksums: bool
) -> None:
    packed = archive([entry("m/encoder.onnx", bytes(9 * MIB))])
    entry_ = archived(server, checksums=False)
    server.page("/sherpa-onnx-en-1.tar.bz2", packed)
    if checksums:
        only = entry_.archive.model_copy(update={"size": len(packed)})
        entry_ = entry_.model_copy(update={"archive": only})
    disk(5 * MIB)
    with pytest.raises(StorageError, match="MiB are needed"):
        store.pull(entry_)
    assert taken(store) <= len(packed) + 1000


def test_files_that_have_arrived_are_not_fetched_again_when_there_is_room(
    store: ModelStore, server: HostileServer, disk: Callable[[int], None]
) -> None:
    entry_ = loose(server, checksums=False)
    disk(120_000)
    with pytest.raises(StorageError, match="MiB are needed"):
        store.pull(entry_)
    asked = [len(page.requests) for page in server.pages.values()]
    disk(MIB)
    assert len(store.pull(entry_).recorded) == len(entry_.files)
    assert holds(store.installed("en"), "1")
    again = [len(page.requests) for page in server.pages.values()]
    assert again[:2] == asked[:2]


def test_an_archive_that_has_arrived_is_not_fetched_again_when_there_is_room(
    store: ModelStore, server: HostileServer, disk: Callable[[int], None]
) -> None:
    page = server.page("/m.tar.bz2", archive([entry("m/encoder.onnx", bytes(9 * MIB))]))
    entry_ = archived(server, checksums=False)
    archive_ = entry_.archive.model_copy(update={"urls": (server.url("/m.tar.bz2"),)})
    entry_ = entry_.model_copy(update={"archive": archive_})
    disk(5 * MIB)
    for _ in range(2):
        with pytest.raises(StorageError, match="MiB are needed"):
            store.pull(entry_)
    assert len([asked for asked in page.requests if "Range" not in asked]) == 1
