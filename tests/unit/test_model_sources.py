"""A model of the store is loaded, or it is said what became of it and how to get it again."""

import errno
import os
from pathlib import Path

import pytest

from tests.support.installed import install
from tests.support.onnx_models import build
from wyoming_stt.errors import ModelFileError, NotInstalledError
from wyoming_stt.loading import ModelSource
from wyoming_stt.model_sources import in_folder, in_store
from wyoming_stt.settings import ModelSettings, Settings
from wyoming_stt.store import ModelFiles, ModelStore, StoreOptions, manifest
from wyoming_stt.store.durable import hash_file
from wyoming_stt.store.lock import hold


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "data")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return build("zipformer2", tmp_path / "own", seed=1)


def source(store: ModelStore, files: ModelFiles | None, name: str = "mine") -> ModelSource:
    return in_store(name, files, store, Settings(data_dir=store.data_dir))


def damage(files: ModelFiles) -> None:
    (files.folder / "tokens.txt").write_text("nonsense")


def test_it_knows_its_version_and_its_checksum(store: ModelStore, model: Path) -> None:
    files = install(store, "mine", model)
    info = source(store, files).load().info
    assert (info.name, info.version, info.languages) == ("mine", "1", ("cy",))
    assert info.sha256 == max(files.manifest.files, key=lambda file: file.size).sha256


def test_sources_are_the_same_when_they_load_the_same(store: ModelStore, model: Path) -> None:
    files, settings = install(store, "mine", model), Settings(data_dir=store.data_dir)
    assert source(store, files) == source(store, store.installed("mine"))
    assert source(store, files) != source(store, install(store, "mine", model, "2"))
    assert in_folder(model, ("cy",), settings) == in_folder(model, ("cy",), settings)
    assert in_folder(model, ("cy",), settings) != in_folder(model, ("de",), settings)
    german = Settings(data_dir=store.data_dir, model=ModelSettings(languages=("de",)))
    assert in_store("mine", files, store, german) != source(store, files)


@pytest.mark.parametrize("keep_time", [False, True])
def test_a_damaged_model_is_named_and_put_aside(
    store: ModelStore, model: Path, *, keep_time: bool
) -> None:
    files = install(store, "mine", model)
    victim = next(files.folder.glob("encoder*.onnx"))
    before = victim.stat()
    damaged = bytearray(victim.read_bytes())
    damaged[: len(damaged) // 2] = bytes(len(damaged) // 2)
    victim.write_bytes(damaged)
    if keep_time:
        os.utime(victim, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(ModelFileError, match=rf"{victim.name}.*damage.*moved to"):
        source(store, files).load()
    assert store.installed("mine") is None
    assert len(store.quarantined()) == 1


def test_the_version_before_takes_the_place_of_a_damaged_one(
    store: ModelStore, model: Path, caplog: pytest.LogCaptureFixture
) -> None:
    install(store, "mine", model, "1")
    newest = install(store, "mine", model, "2")
    damage(newest)
    for _ in range(2):
        assert source(store, newest).load().info.version == "1"
    (told,) = caplog.messages
    assert "Version 1 of mine is tried instead" in told
    assert "tokens.txt" in told
    assert [aside.version for aside in store.quarantined()] == ["2"]


def test_a_version_that_was_replaced_is_loaded_as_it_is_by_now(
    store: ModelStore, model: Path, tmp_path: Path
) -> None:
    before = install(store, "mine", model)
    after = install(store, "mine", build("zipformer2", tmp_path / "other", seed=2))
    info = source(store, before).load().info
    assert info.sha256 == max(after.manifest.files, key=lambda file: file.size).sha256
    assert store.quarantined() == []


def test_one_that_cannot_be_put_aside_is_named_and_passed_over(
    store: ModelStore, model: Path, caplog: pytest.LogCaptureFixture
) -> None:
    install(store, "mine", model, "1")
    newest = install(store, "mine", model, "2")
    damage(newest)
    lock = store.layout.lock("mine")
    lock.unlink(missing_ok=True)
    lock.mkdir()
    assert source(store, newest).load().info.version == "1"
    (told,) = caplog.messages
    assert "tokens.txt" in told
    assert "left where it is: cannot lock" in told
    assert store.installed("mine") == newest


def test_nobody_waits_for_a_download_to_put_one_aside(store: ModelStore, model: Path) -> None:
    files = install(store, "mine", model)
    damage(files)
    with (
        hold(store.layout.lock("mine"), 1.0),
        pytest.raises(ModelFileError, match=r"damage \(tokens.txt\); left where it is: another"),
    ):
        source(store, files).load()


def test_one_that_cannot_be_read_now_is_passed_over_and_stays(
    store: ModelStore, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(store, "mine", model, "1")
    newest = install(store, "mine", model, "2")
    restored = newest.folder / "tokens.txt"
    os.utime(restored, ns=(1, 1))

    def hash_or_refuse(path: Path) -> str:
        if path == restored:
            raise PermissionError(errno.EACCES, "Permission denied")
        return hash_file(path)

    with monkeypatch.context() as patched:
        patched.setattr(manifest, "hash_file", hash_or_refuse)
        assert source(store, newest).load().info.version == "1"
    assert store.quarantined() == []
    assert source(store, newest).load().info.version == "2"


def test_a_folder_is_called_by_its_name(
    store: ModelStore, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(model)
    found = in_folder(Path(), ("cy",), Settings(data_dir=store.data_dir))
    assert found.name == found.load().info.name == "own"


def test_the_version_that_was_chosen_is_loaded_as_long_as_it_is_there(
    store: ModelStore, model: Path
) -> None:
    first = install(store, "mine", model, "1")
    install(store, "mine", model, "2")
    assert source(store, first).load().info.version == "1"
    store.remove("mine", "1")
    assert source(store, first).load().info.version == "2"


def test_what_was_put_aside_says_why_and_comes_back(store: ModelStore, model: Path) -> None:
    files = install(store, "mine", model)
    store.quarantine(files, "damaged: joiner.onnx")
    with pytest.raises(
        NotInstalledError, match=r"aside as damaged: joiner.*add FOLDER --name mine"
    ):
        source(store, files).load()
    store.prune()
    with pytest.raises(NotInstalledError, match=r"'mine' is not installed; .*add FOLDER"):
        source(store, files).load()
    install(store, "mine", model, "3")
    assert source(store, files).load().info.version == "3"


@pytest.mark.parametrize(
    ("offline", "how"), [(False, "models pull"), (True, "turn store.offline off, or: .* --name")]
)
def test_what_is_published_says_how_to_get_it(
    store: ModelStore, *, offline: bool, how: str
) -> None:
    store = ModelStore(store.data_dir, StoreOptions(offline=offline))
    with pytest.raises(NotInstalledError, match=rf"; to install it: .*{how} kroko-de"):
        source(store, None, "kroko-de").load()
