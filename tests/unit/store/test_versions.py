"""Versions of a model side by side: which one is in use, going back, and what is kept."""

import pytest

from tests.support.hostile_http import HostileServer
from tests.support.pulling import holds, loose
from wyoming_stt.errors import NotInstalledError
from wyoming_stt.store import ModelStore


def test_a_version_beside_another_can_be_gone_back_to(
    store: ModelStore, server: HostileServer
) -> None:
    for version in ("1", "2", "3"):
        store.pull(loose(server, version))
    assert [files.version for files in store.versions("en")] == ["1", "2", "3"]
    assert holds(store.rollback("en"), "2")
    assert holds(store.rollback("en"), "1")
    with pytest.raises(NotInstalledError, match="no version before 1"):
        store.rollback("en")
    assert holds(store.installed("en"), "1")
    assert not store.pull(loose(server, "3")).fetched
    assert holds(store.installed("en"), "3")
    assert holds(store.rollback("en"), "1")


def test_what_was_gone_back_from_is_held_back_until_it_is_pulled(
    store: ModelStore, server: HostileServer
) -> None:
    assert store.held_back("en") == store.held_back("../en") == ()
    for version in ("1", "2", "3"):
        store.pull(loose(server, version))
    store.rollback("en")
    store.rollback("en")
    assert store.held_back("en") == ("3", "2")
    store.pull(loose(server, "3"))
    assert store.held_back("en") == ("2",)
    store.remove("en")
    assert store.held_back("en") == ()


def test_what_was_gone_back_from_does_not_come_back_by_itself(
    store: ModelStore, server: HostileServer
) -> None:
    for version in ("1", "2"):
        store.pull(loose(server, version))
    store.quarantine(store.rollback("en"), "damaged")
    assert store.installed("en") is None
    assert [files.version for files in store.versions("en")] == ["2"]
    store.prune()
    assert [files.version for files in store.versions("en")] == ["2"], "it may be one's own"
    store.pull(loose(server, "2"))
    assert holds(store.installed("en"), "2")


def test_a_version_can_be_installed_before_it_is_used(
    store: ModelStore, server: HostileServer
) -> None:
    store.pull(loose(server, "1"))
    newer = store.pull(loose(server, "2"), use=False).files
    assert holds(store.installed("en"), "1")
    assert [files.version for files in store.usable("en")] == ["1", "2"]
    store.use(newer)
    assert holds(store.installed("en"), "2")
    assert holds(store.rollback("en"), "1")
    store.remove("en", "2")
    store.use(newer)
    assert holds(store.installed("en"), "1")


def test_a_version_nobody_pointed_to_stays_in_use_beside_a_newer_one(
    store: ModelStore, server: HostileServer
) -> None:
    store.pull(loose(server, "1"), use=False)
    assert holds(store.installed("en"), "1")
    (store.layout.models / "en" / "current.json").unlink()
    store.pull(loose(server, "2"), use=False)
    assert holds(store.installed("en"), "1")
    assert [files.version for files in store.usable("en")] == ["1", "2"]


def test_a_pointer_of_an_earlier_release_is_read(store: ModelStore, server: HostileServer) -> None:
    for version in ("1", "2"):
        store.pull(loose(server, version))
    pointer = store.layout.models / "en" / "current.json"
    pointer.write_text('{"version": "1", "previous": ["2"]}', encoding="utf-8")
    assert holds(store.installed("en"), "1")
    assert store.held_back("en") == ()


def test_a_torn_pointer_is_no_loss(store: ModelStore, server: HostileServer) -> None:
    for version in ("1", "2"):
        store.pull(loose(server, version))
    (store.layout.models / "en" / "current.json").write_text("{", encoding="utf-8")
    assert store.installed("en") is not None


def test_a_version_or_all_of_a_model_is_removed(store: ModelStore, server: HostileServer) -> None:
    for version in ("1", "2"):
        store.pull(loose(server, version))
    with pytest.raises(NotInstalledError, match="en 7"):
        store.remove("en", "7")
    assert [files.version for files in store.remove("en", "2")] == ["2"]
    assert holds(store.installed("en"), "1")
    store.remove("en")
    assert list(store.layout.ids()) == []
    with pytest.raises(NotInstalledError):
        store.remove("en")


def test_prune_keeps_the_version_in_use_and_the_one_before(
    store: ModelStore, server: HostileServer
) -> None:
    for version in ("1", "2", "3"):
        store.pull(loose(server, version))
    store.layout.downloads("gone").mkdir(parents=True)
    (store.layout.downloads("gone") / "x.part").write_bytes(bytes(100_000))
    assert store.prune() >= 100_000 + 4 * 50_000
    assert [files.version for files in store.versions("en")] == ["2", "3"]
    assert not store.layout.downloads("gone").exists()
    assert holds(store.rollback("en"), "2")


def test_prune_keeps_a_version_to_go_back_to_when_the_one_before_is_gone(
    store: ModelStore, server: HostileServer
) -> None:
    for version in ("1", "2", "3"):
        store.pull(loose(server, version))
    store.remove("en", "2")
    store.prune()
    assert holds(store.rollback("en"), "1")


def test_prune_leaves_alone_what_is_not_the_stores(
    store: ModelStore, server: HostileServer
) -> None:
    store.pull(loose(server))
    (store.layout.models / "lost+found").mkdir()
    (store.layout.staging("en").parent / ".DS_Store").write_text("")
    store.prune()
    assert (store.layout.models / "lost+found").is_dir()
    assert holds(store.installed("en"), "1")
