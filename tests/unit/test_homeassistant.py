import json
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.installed import install
from tests.support.onnx_models import build
from wyoming_stt.decoding.options import Hotword
from wyoming_stt.homeassistant import AppOptions, AppSettings, read_app
from wyoming_stt.settings import Settings, load_settings
from wyoming_stt.sources import MAX_FILE_BYTES, OPTIONS_FILE_VARIABLE, Tree, merge
from wyoming_stt.store import ModelStore


@pytest.fixture
def options_file(tmp_path: Path) -> Path:
    return tmp_path / "options.json"


def read(file: Path, options: object, *roots: Path) -> AppSettings:
    file.write_text(json.dumps(options), encoding="utf-8")
    return read_app(file, roots)


def loaded(options: Path, monkeypatch: pytest.MonkeyPatch, **sources: object) -> Settings:
    monkeypatch.setenv("SUPERVISOR_TOKEN", "secret")
    monkeypatch.setenv(OPTIONS_FILE_VARIABLE, str(options))
    return load_settings(**{"environment": {}, **sources})


def test_options_left_alone_change_nothing(options_file: Path) -> None:
    defaults = AppOptions().model_dump(exclude_none=True)
    assert read(options_file, defaults) == AppSettings({})
    assert read(options_file, {}) == AppSettings({})


@pytest.mark.parametrize(
    ("options", "tree"),
    [
        ({"endpointing": "app"}, {"wyoming": {"endpointing": True}}),
        ({"endpointing": "home_assistant"}, {"wyoming": {"endpointing": False}}),
        ({"profile": "small"}, {"profile": "small"}),
        ({"threads": "3"}, {"engine": {"workers": 3}}),
        ({"offline": True}, {"store": {"offline": True}}),
        ({"debug_logging": True}, {"log": {"level": "debug"}}),
        (
            {"hotwords": ["Küche", "hall :2"]},
            {"search": {"hotwords": (Hotword("Küche"), Hotword("hall", 2))}},
        ),
    ],
)
def test_an_option_sets_what_it_says(options_file: Path, options: Tree, tree: Tree) -> None:
    assert read(options_file, options) == AppSettings(tree)
    Settings.model_validate(tree)


@pytest.mark.parametrize(("word", "silence_s"), [("relaxed", 1.25), ("aggressive", 0.25)])
def test_the_sensitivity_is_home_assistants(
    options_file: Path, word: str, silence_s: float
) -> None:
    tree = read(options_file, {"vad_sensitivity": word}).settings
    rules = {rule.name: rule for rule in Settings.model_validate(tree).endpoint.rules}
    assert rules["speech-ended"].min_trailing_silence_s == silence_s


def test_a_model_of_ones_own_is_looked_for_where_it_may_lie(
    options_file: Path, tmp_path: Path
) -> None:
    share, models = tmp_path / "share", tmp_path / "models"
    (models / "vi").mkdir(parents=True)
    for name in ("vi", str(models / "vi")):
        options = {"custom_model": name, "language": "vi"}
        assert read(options_file, options, share, models) == AppSettings(
            {"model": {"dir": models / "vi", "languages": ("vi",)}}
        )
    (share / "vi").mkdir(parents=True)
    found = read(options_file, {"custom_model": "vi"}, share, models)
    assert found == AppSettings({"model": {"dir": share / "vi"}})


def test_a_model_of_ones_own_may_be_in_the_store(options_file: Path, tmp_path: Path) -> None:
    store, share = ModelStore(tmp_path / "data"), tmp_path / "share"
    files = install(store, "mine", build("zipformer2", tmp_path / "own", seed=1))

    def found() -> Tree:
        options_file.write_text('{"custom_model": "mine"}', encoding="utf-8")
        return read_app(options_file, (share, store.layout.models), store.data_dir).settings

    assert found() == {"model": {"name": "mine"}}
    options = {"custom_model": "mine", "language": "cy"}
    options_file.write_text(json.dumps(options), encoding="utf-8")
    app = read_app(options_file, (share, store.layout.models), store.data_dir)
    assert app == AppSettings({"model": {"name": "mine", "languages": ("cy",)}})
    # Put aside, its name is no folder with a model.
    store.quarantine(files, "damaged: joiner.onnx")
    assert found() == {"model": {"name": "mine"}}
    (share / "mine").mkdir(parents=True)
    assert found() == {"model": {"dir": share / "mine"}}
    # A folder that somebody put beside the store's is none of its.
    (store.layout.models / "by-hand").mkdir()
    options_file.write_text('{"custom_model": "by-hand"}', encoding="utf-8")
    app = read_app(options_file, (share, store.layout.models), store.data_dir)
    assert app.settings == {"model": {"dir": store.layout.models / "by-hand"}}


@pytest.mark.parametrize("name", ["absent", "/absent", "x" * 5_000, "\0"])
def test_a_model_that_is_not_there_leaves_the_built_in_one(
    options_file: Path, tmp_path: Path, name: str
) -> None:
    app = read(options_file, {"custom_model": name}, tmp_path)
    assert app.settings == {}
    assert app.complaints[0].startswith("Option custom_model is ignored: there is no folder ")
    assert len(app.complaints[0]) < 400


def test_a_model_is_chosen_by_name_or_by_language(options_file: Path) -> None:
    named = {"model": "zipformer-fr", "language": "de", "custom_model": ""}
    assert read(options_file, named) == AppSettings({"model": {"name": "zipformer-fr"}})
    spoken = {"model": "auto", "language": "de"}
    assert read(options_file, spoken) == AppSettings({"model": {"languages": ("de",)}})


def test_a_model_of_ones_own_is_stronger_than_one_by_name(
    options_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "vi").mkdir()
    options = {"model": "zipformer-fr", "custom_model": "vi"}
    assert read(options_file, options, tmp_path).settings == {"model": {"dir": tmp_path / "vi"}}
    (tmp_path / "vi").rmdir()
    assert read(options_file, options, tmp_path).settings == {"model": {"name": "zipformer-fr"}}


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"beam_size": 5}, "Option beam_size is ignored: there is no such option"),
        ({"threads": "9"}, "Option threads is ignored: "),
        ({"model": "whisper"}, "Option model is ignored: there is no model 'whisper'"),
        ({"language": "../etc"}, "Option language is ignored: "),
        ({"debug_logging": [1]}, "Option debug_logging is ignored: "),
        ({"hotwords": "kitchen"}, "Option hotwords is ignored: "),
        ({"hotwords": ["x" * 101]}, "Option hotwords is ignored: "),
        ({"hotwords": ["a :1.2.3"]}, "One of the hotwords is ignored: "),
        ({"y" * 9_999: "z" * 9_999}, "Option yyyy"),
    ],
)
def test_an_option_that_does_not_fit_is_named_and_the_others_count(
    options_file: Path, options: Tree, complaint: str
) -> None:
    app = read(options_file, {**options, "profile": "fast"})
    assert app.settings == {"profile": "fast"}
    assert len(app.complaints) == 1
    assert app.complaints[0].startswith(complaint)
    assert len(app.complaints[0]) < 250


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"profile": "sm',
        b"\xff\xfe{}",
        b"[]",
        b"null",
        b"[" * 100_000,
        b" " * (MAX_FILE_BYTES + 1),
    ],
)
def test_a_damaged_file_means_the_defaults_and_one_complaint(
    options_file: Path, content: bytes
) -> None:
    options_file.write_bytes(content)
    app = read_app(options_file)
    assert app.settings == {}
    assert len(app.complaints) == 1
    assert app.complaints[0].startswith(f"The options in {options_file} are ignored")


@pytest.mark.parametrize("name", [".", "absent.json"])
def test_a_file_that_cannot_be_read_means_the_defaults(tmp_path: Path, name: str) -> None:
    assert len(read_app(tmp_path / name).complaints) == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(sorted(AppOptions.model_fields)) | st.text(string.ascii_lowercase)


@given(options=st.dictionaries(names, json_values, max_size=8))
def test_no_options_keep_the_service_from_starting(
    options: Tree, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "any-options.json"
    app = read(file, options)
    Settings.model_validate(app.settings)
    assert bool(app.complaints) or options.keys() <= AppOptions.model_fields.keys()


def test_in_the_app_the_supervisor_announces_and_the_port_is_open(
    options_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options_file.write_text('{"profile": "auto", "colour": "red"}')
    settings = loaded(options_file, monkeypatch)
    assert settings.wyoming.uri == "tcp://0.0.0.0:10300"
    assert (settings.announce.enabled, settings.log.hints, settings.log.style) == (
        False,
        False,
        "short",
    )
    assert (settings.data_dir, settings.http.enabled) == (Path("/data"), False)
    assert settings.complaints == ("Option colour is ignored: there is no such option",)


def test_options_are_above_a_file_and_below_the_environment(
    options_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options_file.write_text('{"threads": "2", "profile": "small"}')
    file = tmp_path / "settings.yaml"
    file.write_text("engine: {workers: 1, max_waiting: 3}\nannounce: {enabled: true}\n")
    settings = loaded(options_file, monkeypatch, file=file)
    assert (settings.engine.workers, settings.engine.max_waiting) == (2, 3)
    assert (settings.engine.max_utterances, settings.announce.enabled) == (4, True)
    environment = merge({}, {"engine": {"workers": "5"}})
    assert loaded(options_file, monkeypatch, environment=environment).engine.workers == 5
