"""What is installed is complete, whatever happened on the way there."""

import json
import shutil
from pathlib import Path

import pytest

from tests.support import hostile_http as http
from tests.support.archives import archive, entry
from tests.support.hostile_http import HostileServer
from tests.support.pulling import NAMES, OWN, archived, content_of, holds, loose, write
from wyoming_stt.errors import (
    ArchiveError,
    CatalogError,
    ChecksumError,
    DownloadError,
    NotInstalledError,
    StorageError,
    StoreBusyError,
)
from wyoming_stt.store import ModelStore, StoreOptions, installed_in
from wyoming_stt.store.lock import hold


@pytest.mark.parametrize("publish", [loose, archived])
def test_a_model_is_pulled_and_found(store: ModelStore, server: HostileServer, publish) -> None:
    assert store.installed("en") is None
    pulled = store.pull(publish(server))
    assert pulled.fetched
    assert pulled.recorded == ()
    assert holds(store.installed("en"), "1")
    files = store.find("en")
    assert files.folder.name == "en"
    assert files.manifest.languages == ("en", "cy")
    assert installed_in(files.folder) == files
    assert store.verify(files) == store.verify(files, every_byte=False) == []


def test_what_is_there_is_not_fetched_again(store: ModelStore, server: HostileServer) -> None:
    entry_ = loose(server)
    store.pull(entry_)
    offline = ModelStore(store.data_dir, StoreOptions(offline=True))
    assert not offline.pull(entry_).fetched


def test_nothing_is_left_beside_the_model(store: ModelStore, server: HostileServer) -> None:
    store.pull(archived(server))
    left = {path.name for path in store.layout.models.rglob("*") if path.is_file()} - {
        Path(name).name for name in NAMES
    }
    assert left == {"manifest.json", "current.json", "en.lock"}


def test_a_failed_update_keeps_the_old_version(store: ModelStore, server: HostileServer) -> None:
    store.pull(loose(server, "1"))
    newer = loose(server, "2")
    server.pages["/2/decoder.onnx"].faults = [http.wrong_bytes] * 9
    with pytest.raises(ChecksumError):
        store.pull(newer)
    assert holds(store.installed("en"), "1")
    server.pages["/2/decoder.onnx"].faults = []
    store.pull(newer)
    assert holds(store.installed("en"), "2")
    assert len(server.pages["/2/encoder.int8.onnx"].requests) == 1, "it was there already"


@pytest.mark.parametrize("publish", [loose, archived])
def test_an_unpublished_checksum_is_recorded_and_held_to(
    store: ModelStore, server: HostileServer, publish
) -> None:
    entry_ = publish(server, checksums=False)
    pulled = store.pull(entry_)
    assert pulled.recorded == tuple(remote.urls[0] for remote in entry_.downloads)
    store.remove("en")
    assert store.pull(entry_).recorded == ()
    store.remove("en")
    page = server.pages[next(iter(server.pages))]
    page.content = bytes(len(page.content))
    with pytest.raises(ChecksumError, match="what came first") as failed:
        store.pull(entry_)
    assert str(store.layout.checksums) in str(failed.value)
    assert store.installed("en") is None


def test_records_that_are_damaged_are_not_forgotten(
    store: ModelStore, server: HostileServer
) -> None:
    store.layout.checksums.write_text("{", encoding="utf-8")
    with pytest.raises(StorageError, match="holds the checksums"):
        store.pull(loose(server, checksums=False))


def test_what_was_here_is_known_until_it_is_removed(
    store: ModelStore, server: HostileServer
) -> None:
    assert not store.knows("en")
    files = store.pull(loose(server)).files
    assert store.knows("en")
    store.quarantine(files, "damaged")
    assert store.knows("en")
    store.prune()
    assert store.knows("en")
    store.pull(loose(server))
    store.remove("en")
    assert not store.knows("en")
    assert not store.knows("../models/en")


def test_half_a_version_does_not_count(store: ModelStore, server: HostileServer) -> None:
    files = store.pull(loose(server)).files
    (files.home / "manifest.json").write_text('{"id": "en", "ver', encoding="utf-8")
    assert store.installed("en") is None
    assert store.pull(loose(server)).fetched
    assert holds(store.installed("en"), "1")


def test_a_folder_that_was_renamed_is_not_what_it_says(
    store: ModelStore, server: HostileServer
) -> None:
    files = store.pull(loose(server)).files
    files.home.rename(files.home.with_name("9"))
    assert store.installed("en") is None


@pytest.mark.parametrize("name", ["../models/en", "..", "", "/etc", ".locks", "en/1"])
def test_a_name_is_not_a_path(store: ModelStore, server: HostileServer, name: str) -> None:
    store.pull(loose(server))
    before = sorted(store.data_dir.parent.rglob("*"))
    assert store.installed(name) is None
    with pytest.raises(NotInstalledError):
        store.remove(name)
    assert sorted(store.data_dir.parent.rglob("*")) == before


def test_an_archive_with_nothing_of_use_is_refused(
    store: ModelStore, server: HostileServer
) -> None:
    entry_ = archived(server, checksums=False)
    server.pages["/sherpa-onnx-en-1.tar.bz2"].content = archive([entry("m/README.md")])
    with pytest.raises(ArchiveError, match="has none of"):
        store.pull(entry_)
    assert store.installed("en") is None
    # It has left nothing behind that would keep the right one out.
    archived(server)
    assert store.pull(entry_).recorded
    assert holds(store.installed("en"), "1")


def test_a_folder_of_ones_own_is_copied_in(store: ModelStore, tmp_path: Path) -> None:
    own = write(tmp_path / "own", content_of("local"))
    assert holds(store.add(own, OWN), "local")
    shutil.rmtree(own)
    assert holds(store.installed("mine"), "local")


def test_a_folder_without_files_takes_no_models_place(store: ModelStore, tmp_path: Path) -> None:
    own = write(tmp_path / "own", content_of("local"))
    store.add(own, OWN)
    (tmp_path / "empty").mkdir()
    with pytest.raises(StorageError, match="has no files"):
        store.add(tmp_path / "empty", OWN)
    assert holds(store.installed("mine"), "local")


def test_a_name_that_no_manifest_can_hold_is_an_error(
    store: ModelStore, server: HostileServer
) -> None:
    entry_ = archived(server, checksums=False)
    page = server.pages["/sherpa-onnx-en-1.tar.bz2"]
    graph = content_of("1")["decoder.onnx"]
    page.content = archive([entry("m/d\udcff.onnx", graph)], gnu=True)
    with pytest.raises(StorageError, match="is not UTF-8"):
        store.pull(entry_)
    assert store.installed("en") is None
    assert not store.layout.checksums.exists()


def test_a_store_that_cannot_be_written_is_an_error_and_can_be_read(
    store: ModelStore, server: HostileServer
) -> None:
    store.layout.models.mkdir()
    (store.layout.models / ".staging").write_text("in the way", encoding="utf-8")
    with pytest.raises(StorageError, match="cannot install en"):
        store.pull(loose(server))
    assert store.installed("en") is None


def test_another_process_is_not_waited_for_without_end(
    store: ModelStore, server: HostileServer
) -> None:
    impatient = ModelStore(store.data_dir, StoreOptions(lock_timeout_s=0.05))
    with hold(store.layout.lock("en"), 1.0), pytest.raises(StoreBusyError, match="another process"):
        impatient.pull(loose(server))


def test_entries_of_the_users_are_pulled_like_ours(
    store: ModelStore, server: HostileServer, tmp_path: Path
) -> None:
    server.page("/mine/tokens.txt", b"a 0")
    own = tmp_path / "own.toml"
    own.write_text(
        f"""[mine]
        title = "Mine"
        family = "zipformer2"
        streaming = true
        languages = ["cy"]
        version = "1"
        licence = "mine"
        memory = "small"
        speed = "fast"
        base = "{server.url("/mine")}"
        files = [{{ path = "tokens.txt" }}]
        """,
        encoding="utf-8",
    )
    assert [entry_.id for entry_ in store.add_entries(own, "own")] == ["mine"]
    assert store.pull(store.catalog().find("mine")).files.id == "mine"
    with pytest.raises(CatalogError, match="no name"):
        store.add_entries(own, "../own")


def test_the_manifest_says_where_it_came_from(store: ModelStore, server: HostileServer) -> None:
    files = store.pull(archived(server)).files
    content = json.loads((files.home / "manifest.json").read_text(encoding="utf-8"))
    assert content["source"] == server.url("/sherpa-onnx-en-1.tar.bz2")
    assert len(content["files"]) == len(NAMES)


def test_a_server_that_is_down_is_an_error_that_names_it(
    store: ModelStore, server: HostileServer
) -> None:
    entry_ = loose(server)
    server.pages.clear()
    with pytest.raises(DownloadError, match="answers 404"):
        store.pull(entry_)
