"""`wyoming-stt models`: what it prints, in words and in JSON, and how it ends."""

import errno
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support import hostile_http as http
from tests.support.hostile_http import HostileServer, hostile_server
from tests.support.onnx_models import build
from wyoming_stt.cli.failure import exit_code
from wyoming_stt.cli.main import app
from wyoming_stt.errors import SttError
from wyoming_stt.store import ModelStore, manifest
from wyoming_stt.store.durable import hash_file
from wyoming_stt.store.lock import hold


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with hostile_server() as running:
        yield running


class Models:
    """The command on a store of its own, with one entry `mine` in its catalogue."""

    def __init__(self, folder: Path, server: HostileServer) -> None:
        self.data_dir = folder / "data"
        self.server = server
        self.publish("1")

    def publish(self, version: str) -> None:
        self.server.page(f"/{version}/tokens.txt", f"a 0 {version}".encode())
        entry = f"""
            [mine]
            title = "Mine"
            family = "zipformer2"
            streaming = true
            languages = ["cy"]
            version = "{version}"
            licence = "CC-BY-SA-4.0"
            conditions = "Share alike."
            memory = "small"
            speed = "fast"
            base = "{self.server.url("/" + version)}"
            files = [{{ path = "tokens.txt" }}]
            """
        (self.data_dir / "catalog.d").mkdir(parents=True, exist_ok=True)
        (self.data_dir / "catalog.d" / "own.toml").write_text(entry, encoding="utf-8")

    def __call__(self, *arguments: str | Path, code: int = 0) -> str:
        given = ["models", *map(str, arguments), "--data-dir", str(self.data_dir)]
        result = CliRunner().invoke(app, given)
        ended = result.exit_code
        if isinstance(result.exception, SttError):  # `main` turns it into a line and a code
            ended = exit_code(result.exception)
        assert ended == code, (result.output, result.exception)
        return result.output + (str(result.exception) if ended else "")

    def json(self, *arguments: str | Path, code: int = 0) -> dict[str, Any]:
        answer = self(*arguments, "--json", code=code)
        return json.loads(next(line for line in answer.splitlines() if line.startswith("{")))


@pytest.fixture
def models(tmp_path: Path, server: HostileServer) -> Models:
    return Models(tmp_path, server)


def test_the_catalogue_is_listed(models: Models) -> None:
    lines = models("list").splitlines()
    row = next(line for line in lines if line.startswith("mine "))
    assert "cy" in row
    assert "CC-BY-SA-4.0" in row
    listed = models.json("list", "--language", "cy")["models"]
    assert [facts["id"] for facts in listed] == ["mine"]
    assert listed[0]["installed"] is None
    assert models.json("list", "--installed")["models"] == []


def test_pull_says_what_it_took_on_trust_and_what_the_licence_asks(models: Models) -> None:
    output = models("pull", "mine")
    assert "Nobody publishes a checksum of" in output
    assert "Licence CC-BY-SA-4.0. Share alike." in output
    assert "Installed mine 1 in" in output
    assert "Already installed: mine 1" in models("pull", "mine")
    (facts,) = models.json("list", "--installed")["models"]
    assert (facts["installed"], facts["languages"]) == ("1", ["cy"])
    assert Path(facts["folder"], "tokens.txt").read_bytes() == b"a 0 1"


def test_update_and_rollback(models: Models) -> None:
    models("pull", "mine")
    assert "as new as the catalogue" in models("update")
    models.publish("2")
    assert [pulled["version"] for pulled in models.json("update")["models"]] == ["2"]
    assert models.json("rollback", "mine")["version"] == "1"
    assert models.json("show", "mine")["versions"] == ["1", "2"]
    assert models.json("show", "mine")["held_back"] == ["2"]
    assert "mine 2" in models("update", "mine")
    assert models.json("show", "mine")["held_back"] == []
    assert "is 1 again" in models("rollback", "mine")


def test_verify_names_what_is_damaged_and_puts_it_aside(models: Models) -> None:
    folder = Path(models.json("pull", "mine")["models"][0]["folder"])
    assert "1 models, all as they were installed" in models("verify", "--quick")
    (folder / "tokens.txt").write_bytes(b"other")
    assert models.json("verify", "mine", code=65)["damaged"] == {"mine 1": ["tokens.txt"]}
    assert models.json("show", "mine")["quarantined"] == ["1: damaged: tokens.txt"]
    assert models.json("list", "--installed")["quarantined"] == [{"id": "mine", "version": "1"}]
    models("pull", "mine")
    (Path(folder) / "tokens.txt").write_bytes(b"other")
    assert "damaged and put aside: mine 1: tokens.txt" in models("verify", code=65)
    assert "0 models" in models("verify"), "what it leaves is nothing to stumble over"
    assert models.json("prune")["freed_bytes"] > 0
    assert models.json("list")["quarantined"] == []


def test_what_is_left_of_a_model_is_shown(models: Models) -> None:
    models("pull", "mine")
    models.publish("2")
    folder = Path(models.json("update")["models"][0]["folder"])
    (models.data_dir / "catalog.d" / "own.toml").unlink()
    models("rollback", "mine")
    before = folder.parents[1] / "1" / "mine" / "tokens.txt"
    before.write_bytes(b"other")
    assert models.json("verify", code=65)["damaged"] == {"mine 1": ["tokens.txt"]}
    (listed,) = models.json("list", "--installed")["models"]
    assert (listed["id"], listed["installed"]) == ("mine", None)
    shown = models.json("show", "mine")
    assert (shown["installed"], shown["held_back"], shown["versions"]) == (None, ["2"], ["2"])
    assert "1 models, all as they were installed" in models("verify")


def test_one_that_cannot_be_read_hides_no_other(
    models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        models("add", build("zipformer2", tmp_path / name))
    store = ModelStore(models.data_dir)
    for name in ("a", "c"):
        (store.find(name).folder / "tokens.txt").write_bytes(b"other")
    unreadable = store.find("b").folder / "tokens.txt"

    def hash_or_refuse(path: Path) -> str:
        if path == unreadable:
            raise PermissionError(errno.EACCES, "Permission denied")
        return hash_file(path)

    monkeypatch.setattr(manifest, "hash_file", hash_or_refuse)
    told = models("verify", code=65)
    assert "a local: tokens.txt; c local: tokens.txt" in told
    assert "b local: cannot read" in told
    answer = models.json("verify", code=74)
    assert (answer["damaged"], answer["failed"][0]["code"]) == ({}, "storage-failed")


def test_remove(models: Models) -> None:
    models("pull", "mine")
    assert "Removed mine 1" in models("remove", "mine")
    assert "not installed" in models("remove", "mine", code=66)
    assert models.json("rollback", "mine", code=66)["error"]["code"] == "model-not-installed"


def test_a_folder_of_ones_own_is_added_with_its_family(models: Models, tmp_path: Path) -> None:
    folder = build("zipformer2", tmp_path / "Own-Model")
    assert models.json("add", folder, "--language", "cy")["added"] == ["own-model"]
    facts = models.json("show", "own-model")
    assert (facts["family"], facts["languages"]) == ("zipformer2", ["cy"])
    assert "no capitals" in models("add", folder, "--name", "My Model", code=2)
    for name in ("home-en", "fake"):
        assert "ships inside" in models("add", folder, "--name", name, code=2)


def test_one_that_fails_keeps_no_other_from_being_pulled(models: Models) -> None:
    entry = (models.data_dir / "catalog.d" / "own.toml").read_text(encoding="utf-8")
    gone = entry.replace("[mine]", "[gone]").replace("tokens.txt", "nowhere.txt")
    (models.data_dir / "catalog.d" / "gone.toml").write_text(gone, encoding="utf-8")
    answer = models.json("pull", "gone", "mine", code=69)
    assert [pulled["id"] for pulled in answer["models"]] == ["mine"]
    assert [(fault["id"], fault["code"]) for fault in answer["failed"]] == [
        ("gone", "download-failed")
    ]
    assert "gone 1 is not installed: " in models("pull", "gone", "mine", code=69)
    assert models.json("pull", "mine")["failed"] == []


def test_whoever_waits_for_another_process_is_told(models: Models) -> None:
    models("pull", "mine")
    options = ["--config", str(models.data_dir / "own.yaml")]
    Path(options[1]).write_text("store: {lock_timeout_s: 0.1}", encoding="utf-8")
    with hold(ModelStore(models.data_dir).layout.lock("mine"), 1.0):
        for command in (["remove", "mine"], ["rollback", "mine"], ["prune"]):
            told = models(*command, *options, code=75)
            assert "Another process works on mine; waiting for it" in told
            assert "let it finish" in told


def test_the_line_of_a_checksum_may_be_deleted(models: Models) -> None:
    records = models.data_dir / "checksums.json"
    models("pull", "mine")
    models.publish("2")
    models("pull", "mine")
    lines = records.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 4
    records.write_text("\n".join([*lines[:-2], lines[-1]]), encoding="utf-8")
    models("remove", "mine")
    models.publish("1")
    assert models.json("pull", "mine")["models"][0]["checksums_recorded"]
    assert len(json.loads(records.read_text(encoding="utf-8"))) == 2


def test_a_catalogue_of_ones_own_is_added(models: Models, tmp_path: Path) -> None:
    own = tmp_path / "more.toml"
    text = (models.data_dir / "catalog.d" / "own.toml").read_text(encoding="utf-8")
    own.write_text(text.replace("[mine]", "[theirs]"), encoding="utf-8")
    assert "Added theirs" in models("add", own)
    assert models.json("pull", "theirs")["models"][0]["fetched"]
    own.write_text("[x]", encoding="utf-8")
    assert "x.title" in models("add", own, code=2)


@pytest.mark.parametrize("command", [["list"], ["show", "mine"], ["pull", "mine"], ["update"]])
def test_a_mistake_in_a_catalogue_is_an_error_here(models: Models, command: list[str]) -> None:
    file = models.data_dir / "catalog.d" / "wrong.toml"
    file.write_text("[x]", encoding="utf-8")
    assert f"{file}: x.title" in models(*command, code=2)


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (["pull", "nothing"], 66, "model-not-listed"),
        (["show", "nothing"], 66, "model-not-listed"),
        (["verify", "nothing"], 66, "model-not-installed"),
        (["pull", "mine", "--offline"], 69, "offline"),
        (["add", "/nowhere"], 1, "model-damaged"),
    ],
)
def test_an_error_is_answered_in_json_too(
    models: Models, arguments: list[str], code: int, error: str
) -> None:
    assert models.json(*arguments, code=code)["error"]["code"] == error


def test_network_and_checksum_errors_have_codes_of_their_own(
    models: Models, server: HostileServer
) -> None:
    page = server.pages["/1/tokens.txt"]
    page.faults = [http.answer(404)]
    assert models.json("pull", "mine", code=69)["error"]["code"] == "download-failed"
    models("pull", "mine")
    models("remove", "mine")
    page.content = b"other"
    assert models.json("pull", "mine", code=65)["error"]["code"] == "checksum-mismatch"
