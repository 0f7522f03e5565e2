from pathlib import Path

import pytest

from wyoming_stt.errors import SettingsError
from wyoming_stt.sources import (
    MAX_FILE_BYTES,
    OPTIONS_FILE_VARIABLE,
    app_options_file,
    env_name,
    merge,
    parse_assignments,
    read_environment,
    read_file,
)


def write(folder: Path, text: str) -> Path:
    file = folder / "settings.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_merge_lays_one_tree_over_another_name_by_name() -> None:
    below = {"engine": {"workers": 1, "slice_s": 2}, "log": {"level": "info"}}
    above = {"engine": {"workers": 4}, "log": None}
    assert merge(below, above) == {"engine": {"workers": 4, "slice_s": 2}, "log": None}
    assert below["engine"] == {"workers": 1, "slice_s": 2}


def test_environment_names_paths_with_double_underscores() -> None:
    variables = {
        "WYOMING_STT_ENGINE__MAX_UTTERANCE_S": "9",
        "WYOMING_STT_ENGINE__WORKERS": "2",
        "WYOMING_STT_LOG__LEVEL": "",
        "WYOMING_OTHER": "1",
        "PATH": "/bin",
    }
    tree = read_environment(variables)
    assert tree == {"engine": {"max_utterance_s": "9", "workers": "2"}}
    assert env_name("engine.max_utterance_s") in variables


def test_assignments_are_split_at_the_first_equals_sign() -> None:
    tree = parse_assignments(["announce.name=a=b", "engine.workers = 2"])
    assert tree == {"announce": {"name": "a=b"}, "engine": {"workers": "2"}}


def test_an_assignment_without_equals_sign_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"engine\.workers: expected NAME=VALUE"):
        parse_assignments(["engine.workers"])


def test_a_file_reads_off_and_no_as_words(tmp_path: Path) -> None:
    file = write(tmp_path, "vad: {kind: off}\nmodel: {languages: [no, en]}\nx: {y: true, z: 1.5}")
    assert read_file(file) == {
        "vad": {"kind": "off"},
        "model": {"languages": ["no", "en"]},
        "x": {"y": True, "z": 1.5},
    }


def test_an_empty_file_sets_nothing(tmp_path: Path) -> None:
    assert read_file(write(tmp_path, "# nothing yet\n")) == {}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("engine: [", "is not YAML"),
        ("- engine", "must hold names and values"),
        ("!!python/object/apply:os.system ['true']", "is not YAML"),
        ("# " + "x" * MAX_FILE_BYTES, "larger than"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        read_file(write(tmp_path, text))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot read the settings file"):
        read_file(tmp_path / "absent.yaml")


def test_a_token_of_the_supervisor_makes_us_the_app() -> None:
    token = {"SUPERVISOR_TOKEN": "secret"}
    assert app_options_file({}) is None
    assert app_options_file(token) == Path("/data/options.json")
    assert app_options_file({**token, OPTIONS_FILE_VARIABLE: "/run/x"}) == Path("/run/x")


def test_the_name_of_the_options_file_is_no_setting() -> None:
    assert read_environment({OPTIONS_FILE_VARIABLE: "/run/x"}) == {}


def test_systemds_own_variable_is_a_setting_like_others() -> None:
    systemd = {"NOTIFY_SOCKET": "/run/systemd/notify"}
    assert read_environment(systemd) == {"readiness": {"socket": "/run/systemd/notify"}}
    ours = {"WYOMING_STT_READINESS__SOCKET": "@mine"}
    assert read_environment(systemd | ours) == {"readiness": {"socket": "@mine"}}
