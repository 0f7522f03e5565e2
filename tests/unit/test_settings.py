import dataclasses
from pathlib import Path

import pytest

from wyoming_stt.decoding.options import Hotword
from wyoming_stt.errors import SettingsError
from wyoming_stt.hardware import Hardware
from wyoming_stt.settings import Settings, load_settings, setting_names
from wyoming_stt.sources import env_name, read_environment, tree_of


def settings(**values: object) -> Settings:
    tree = tree_of({name.replace("__", "."): value for name, value in values.items()})
    return load_settings(command_line=tree, environment={})


def complaint(**sources: object) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(**{"environment": {}, **sources})
    return str(caught.value)


def test_defaults_are_those_of_the_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wyoming_stt.settings.detect", lambda: Hardware("any", 4, (), 8 << 30))
    assert load_settings(environment={}) == Settings()


def test_a_later_source_wins_name_by_name(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("engine: {workers: 1, max_waiting: 11, max_utterances: 21}\nort: {threads: 2}")
    loaded = load_settings(
        file,
        environment={"engine": {"workers": "2", "max_waiting": "12"}},
        command_line={"engine": {"workers": "3"}},
    )
    engine = loaded.engine
    assert (engine.workers, engine.max_waiting, engine.max_utterances) == (3, 12, 21)
    assert loaded.ort.threads == 2


def test_every_setting_can_be_set_in_the_environment() -> None:
    for name in setting_names():
        tree = read_environment({env_name(name): "x"})
        for part in name.split("."):
            tree = tree[part]
        assert tree == "x"


def test_settings_are_frozen() -> None:
    loaded = Settings()
    with pytest.raises(ValueError, match="frozen"):
        loaded.log = loaded.log
    with pytest.raises(dataclasses.FrozenInstanceError):
        loaded.log.level = "debug"


@pytest.mark.parametrize("written", ["en, vi", ["en", "vi"], ("en", "vi")])
def test_a_list_may_be_written_with_commas(written: object) -> None:
    assert settings(model__languages=written).model.languages == ("en", "vi")


def test_hotwords_are_a_list_a_text_or_a_file(tmp_path: Path) -> None:
    expected = (Hotword("lamp"), Hotword("hall", 2.0))
    file = tmp_path / "names.txt"
    file.write_text("lamp\nhall :2\n")
    for written in (
        "lamp, hall :2",
        ["lamp", "hall :2"],
        [{"phrase": "lamp"}, {"phrase": "hall", "score": 2}],
        str(file),
    ):
        assert settings(search__hotwords=written).search.hotwords == expected


def test_an_unknown_name_is_answered_with_the_nearest_known_one() -> None:
    assert complaint(command_line={"engine": {"wrokers": 2}}) == (
        "engine.wrokers in the command line: no such setting; did you mean engine.workers?"
    )
    assert complaint(environment=read_environment({"WYOMING_STT_MODEL_DIR": "x"})) == (
        "WYOMING_STT_MODEL_DIR in the environment: no such setting; "
        "did you mean WYOMING_STT_MODEL__DIR?"
    )


def test_a_wrong_value_is_answered_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("engine: {workers: two}\n")
    text = complaint(file=file)
    assert text.startswith(f"engine.workers in the file {file}: should be a valid integer")
    assert text.endswith("found 'two'")


def test_all_mistakes_are_told_at_once() -> None:
    text = complaint(command_line={"engine": {"workers": "x"}, "log": {"level": "loud"}, "nme": 1})
    assert len(text.splitlines()) == 3
    assert "pydantic" not in text


def test_mistakes_inside_lists_and_options_are_told() -> None:
    assert "search.hotwords" in complaint(command_line={"search": {"hotwords": [{"x": 1}]}})
    assert "no file" in complaint(command_line={"search": {"hotwords": "absent.txt"}})
    assert "webrtc" in complaint(command_line={"vad": {"kind": "sharp"}})
    assert complaint(command_line={"engine": 3}).startswith("engine in the command line:")


def test_a_long_value_is_not_repeated_in_full() -> None:
    assert len(complaint(command_line={"log": {"level": "x" * 10_000}})) < 300
