"""A process that dies at any moment leaves a store that works; two that meet share the work."""

import random
import time
from pathlib import Path

import pytest

from tests.support.dying import each_kill
from tests.support.hostile_http import HostileServer
from tests.support.pulling import NAMES, OWN, QUICK, archived, content_of, loose, pulling, write
from wyoming_stt.store import ModelSpec, ModelStore

KILLS = 50
EMPTY = {".locks", ".staging", ".replaced"}
"""Folders of the store's own that may be left."""


def is_healthy(store: ModelStore, versions: set[str | None]) -> str | None:
    """Check that what counts as installed is complete; return its version."""
    files = store.installed("en")
    if files is None:
        assert None in versions
        return None
    assert files.version in versions
    assert store.verify(files) == []
    found = {name: (files.folder / name).read_bytes() for name in NAMES}
    assert found == content_of(files.version)
    return files.version


@pytest.mark.slow
@pytest.mark.parametrize("publish", [loose, archived])
def test_a_kill_at_any_moment_leaves_the_old_state_or_the_new(
    tmp_path: Path, server: HostileServer, publish
) -> None:
    store, rng = ModelStore(tmp_path, QUICK), random.Random(6)
    publish(server, "0")
    took_s = _duration(tmp_path / "measured", publish(server, "0"))
    version, wanted = None, 1
    for _ in range(KILLS):
        entry = publish(server, str(wanted))
        process = pulling(tmp_path, entry)
        time.sleep(rng.uniform(0.0, 1.5 * took_s))
        process.kill()
        process.join()
        version = is_healthy(store, {version, entry.version})
        if version == entry.version:
            store.prune()
            wanted += 1
    # The next start goes on as if nothing had happened.
    store.pull(entry)
    assert is_healthy(store, {entry.version}) == entry.version
    assert {path.name for path in store.layout.staging("en").parent.iterdir()} == set()


@pytest.mark.slow
def test_a_kill_at_any_step_of_tidying_up_leaves_no_half_version(
    tmp_path: Path, server: HostileServer
) -> None:
    whole = ModelStore(tmp_path / "data", QUICK)
    for version in ("0", "1", "2"):
        whole.pull(loose(server, version))
    kills = 0
    for copy in each_kill(whole.data_dir, _prune):
        kills += 1
        store = ModelStore(copy, QUICK)
        assert is_healthy(store, {"2"})
        assert all(store.verify(files) == [] for files in store.versions("en"))
        store.prune()
        assert [files.version for files in store.versions("en")] == ["1", "2"]
    assert kills > len(NAMES), "there is more than one moment in it"


@pytest.mark.slow
def test_a_kill_at_any_step_of_removing_a_model_leaves_whole_versions_or_none(
    tmp_path: Path, server: HostileServer
) -> None:
    whole = ModelStore(tmp_path / "data", QUICK)
    for version in ("0", "1"):
        whole.pull(loose(server, version))
    for copy in each_kill(whole.data_dir, _remove):
        store = ModelStore(copy, QUICK)
        is_healthy(store, {"0", "1", None})
        assert all(store.verify(files) == [] for files in store.versions("en"))
        store.prune()
        assert list(store.layout.ids()) == [files.id for files in store.all_installed()]
        store.pull(loose(server, "0"))
        assert is_healthy(store, {"0"})


def _remove(data_dir: Path) -> None:
    ModelStore(data_dir, QUICK).remove("en")


@pytest.mark.slow
@pytest.mark.parametrize("publish", [loose, archived])
def test_a_kill_at_any_step_of_a_first_download_leaves_no_record_of_what_is_not_there(
    tmp_path: Path, server: HostileServer, publish
) -> None:
    entry = publish(server, checksums=False)
    (tmp_path / "data").mkdir()
    outcomes = set()
    for copy in each_kill(tmp_path / "data", _pull, entry):
        store = ModelStore(copy, QUICK)
        outcome = (store.layout.checksums.exists(), is_healthy(store, {None, "1"}) is not None)
        outcomes.add(outcome)
        _pull(copy, entry)
        assert is_healthy(store, {"1"})
        assert not store.layout.downloads("en").exists()
    assert outcomes == {(False, False), (True, False), (True, True)}


def _pull(data_dir: Path, entry: ModelSpec) -> None:
    ModelStore(data_dir, QUICK).pull(entry)


def _prune(data_dir: Path) -> None:
    ModelStore(data_dir, QUICK).prune()


@pytest.mark.slow
def test_a_kill_at_any_step_of_replacing_a_version_leaves_the_old_or_the_new(
    tmp_path: Path,
) -> None:
    old, new = (write(tmp_path / name, content_of(name)) for name in ("old", "new"))
    whole = ModelStore(tmp_path / "data", QUICK)
    whole.add(old, OWN)
    seen = []
    for copy in each_kill(whole.data_dir, _add, new):
        store = ModelStore(copy, QUICK)
        (files,) = store.all_installed()
        assert store.verify(files) == []
        found = {name: (files.folder / name).read_bytes() for name in NAMES}
        assert found in (content_of("old"), content_of("new"))
        seen.append(found == content_of("new"))
        store.prune()
        assert store.find("mine").home == store.layout.home("mine", "local")
        assert {path.name for path in store.layout.models.iterdir()} <= {"mine", *EMPTY}
        assert not any((store.layout.models / ".replaced").glob("*"))
        _add(copy, new)
        assert store.verify(store.find("mine")) == []
    assert seen == sorted(seen), "once the new one is there, it stays"
    assert {*seen} == {False, True}


def _add(data_dir: Path, folder: Path) -> None:
    ModelStore(data_dir, QUICK).add(folder, OWN)


def _duration(data_dir: Path, entry) -> float:
    pulling(data_dir / "warm", entry).join()
    started = time.monotonic()
    process = pulling(data_dir / "timed", entry)
    process.join()
    assert process.exitcode == 0
    return time.monotonic() - started


def test_two_processes_share_one_download(tmp_path: Path, server: HostileServer) -> None:
    entry = archived(server, size=300_000)
    processes = [pulling(tmp_path, entry) for _ in range(2)]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    files = ModelStore(tmp_path, QUICK).find("en")
    assert all((files.folder / name).stat().st_size == 300_000 for name in NAMES)
    assert [len(page.requests) for page in server.pages.values()] == [1]
