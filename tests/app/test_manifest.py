"""Home Assistant takes the manifest and what lies beside it, without a word of warning."""

import re
from pathlib import Path, PurePosixPath

import pytest

from tests.support.appfiles import MANIFEST, ROOT, read_yaml
from tests.support.supervisor import complaints, linter_complaints, manifests, rating
from wyoming_stt import __version__
from wyoming_stt.homeassistant import APP_DEFAULTS, MODEL_ROOTS
from wyoming_stt.store.layout import Layout


def test_the_supervisor_accepts_it() -> None:
    assert complaints(MANIFEST) == []


def test_the_published_linter_accepts_it() -> None:
    assert linter_complaints(MANIFEST) == []


@pytest.mark.parametrize(
    "change",
    [
        {"arch": ["aarch64", "armv7"]},
        {"version": None},
        {"map": ["addon_config"]},
        {"options": {}},
        {"options": {**MANIFEST["options"], "threads": "5"}},
        {"options": {**MANIFEST["options"], "beam_size": 5}},
        {"schema": {**MANIFEST["schema"], "threads": "number"}},
        {"ports": {"10300": None}},
        {"discover": ["wyoming"]},
        {"init": "no"},
    ],
)
def test_the_rules_find_what_is_wrong(change: dict[str, object]) -> None:
    assert complaints(MANIFEST | change)


@pytest.mark.parametrize(
    "change",
    [{"boot": "auto"}, {"watchdog": "tcp://[HOST]:10300"}, {"map": ["app_config:rw"]}],
)
def test_the_linters_rules_find_what_is_wrong(change: dict[str, object]) -> None:
    assert linter_complaints(MANIFEST | change)


def test_the_security_rating_is_six() -> None:
    assert rating(MANIFEST, own_profile=(ROOT / "apparmor.txt").is_file()) == 6
    assert rating(MANIFEST | {"ingress": True}, own_profile=True) == 8
    assert rating(MANIFEST | {"host_network": True, "hassio_role": "admin"}, own_profile=False) == 2


def test_nothing_else_in_the_tree_is_taken_for_an_app(tmp_path: Path) -> None:
    assert manifests(ROOT) == [ROOT / "config.yaml"]
    for name in ("a/config.json", "rootfs/config.yaml", ".b/config.yml", "c/config.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert manifests(tmp_path) == [tmp_path / "a/config.json"]


def test_a_store_accepts_the_repository() -> None:
    repository = read_yaml("repository.yaml")
    assert repository.keys() <= {"name", "url", "maintainer"}
    assert repository["name"] == MANIFEST["name"]


def test_what_the_store_shows_is_there() -> None:
    for name in ("README.md", "DOCS.md", "CHANGELOG.md", "icon.png", "logo.png", "apparmor.txt"):
        assert (ROOT / name).stat().st_size > 0, name
    assert not list(ROOT.glob("build.*ml")), "its arguments belong into the Dockerfile"


def test_the_version_is_the_same_everywhere() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    entries = re.findall(r"^## (.+)$", changelog, re.MULTILINE)
    assert __version__ == MANIFEST["version"] == entries[0]
    assert 'attr = "wyoming_stt.__version__"' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_backups_have_the_options_and_no_model() -> None:
    def left_out(path: str) -> bool:
        # As the Supervisor sees a file, and asks; it does not look into folders left out.
        seen = PurePosixPath("/data/addons/data/1a2b3c4d_wyoming-stt") / path
        return any(seen.match(pattern) for pattern in MANIFEST["backup_exclude"])

    assert Layout(APP_DEFAULTS["data_dir"]).models == Path("/data/models")
    assert Path("/data/models") in MODEL_ROOTS
    assert APP_DEFAULTS["ort"]["cache_dir"].is_relative_to("/data/models")
    assert left_out("models")
    assert not left_out("options.json")
    assert not left_out("models.txt")


def test_the_port_is_the_one_that_is_listened_on() -> None:
    assert list(MANIFEST["ports"]) == [APP_DEFAULTS["wyoming"]["uri"].rpartition(":")[2] + "/tcp"]
