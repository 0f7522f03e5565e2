"""Options, schema, settings, translations and DOCS.md say the same."""

import re
from typing import Any, Literal, get_args, get_origin

import pytest

from tests.support.appfiles import LANGUAGES, MANIFEST, ROOT, TRANSLATIONS
from tests.support.supervisor import option_complaints
from wyoming_stt.audio.endpoint import SENSITIVITY_SILENCE_S
from wyoming_stt.homeassistant import LANGUAGE, MAX_HOTWORD_CHARS, AppOptions
from wyoming_stt.profile import SMALL_MEMORY_BYTES
from wyoming_stt.settings import Settings
from wyoming_stt.store import Catalog

SCHEMA: dict[str, Any] = MANIFEST["schema"]
DOCS = (ROOT / "DOCS.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### Option: `(\w+)`\n(.+?)(?=^##)", DOCS, re.MULTILINE | re.DOTALL))
FIELDS = AppOptions.model_fields
MODELS = ("auto", *(spec.id for spec in Catalog.read()))
CHOICES = {
    name: get_args(field.annotation)
    for name, field in FIELDS.items()
    if get_origin(field.annotation) is Literal
}
WORDS = {
    name: [choice for choice in choices if not choice.isdecimal()]
    for name, choices in CHOICES.items()
}
QUOTES = {"de": "„{}“", "en": '"{}"', "es": "«{}»", "fr": "« {} »", "nl": '"{}"'}


def element(name: str) -> object:
    """What the schema must say of an option."""
    if name in CHOICES:
        return f"list({'|'.join(CHOICES[name])})"
    return {
        "model": f"list({'|'.join(MODELS)})",
        "language": f"match({LANGUAGE})",
        "custom_model": "str?",
        "hotwords": [f"str(1,{MAX_HOTWORD_CHARS})"],
        "offline": "bool",
        "debug_logging": "bool",
    }[name]


def test_the_schema_is_what_our_settings_read() -> None:
    assert {name: element(name) for name in FIELDS} == SCHEMA


def test_the_options_are_our_defaults() -> None:
    defaults = AppOptions().model_dump(mode="json", exclude_none=True)
    assert defaults == MANIFEST["options"]
    assert option_complaints(SCHEMA, defaults) == []


@pytest.mark.parametrize("name", CHOICES)
def test_auto_leaves_every_choice_to_us(name: str) -> None:
    assert CHOICES[name][0] == FIELDS[name].default == "auto"


def test_choices_are_those_of_the_settings() -> None:
    assert set(CHOICES["vad_sensitivity"]) == {"auto", *SENSITIVITY_SILENCE_S}
    assert CHOICES["profile"] == get_args(Settings.model_fields["profile"].annotation)


def test_every_option_has_a_section_in_order() -> None:
    assert list(SECTIONS) == list(SCHEMA)


@pytest.mark.parametrize("name", SCHEMA)
def test_a_section_tells_the_default_and_every_choice(name: str) -> None:
    for word in WORDS.get(name, []):
        assert f"`{word}`" in SECTIONS[name], word
    assert "auto" in SECTIONS[name] or "default" in SECTIONS[name]


def test_figures_are_those_of_the_code() -> None:
    for word, silence_s in SENSITIVITY_SILENCE_S.items():
        assert f"`{word}`: {silence_s:g} seconds" in SECTIONS["vad_sensitivity"]
    assert Settings().search.hotwords_score == 1.5
    assert "without it, that is 1.5." in SECTIONS["hotwords"]
    assert SMALL_MEMORY_BYTES == 1 << 30
    assert "less than 1 GB" in SECTIONS["profile"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_names_and_explains_everything(language: str) -> None:
    translation = TRANSLATIONS[language]
    assert translation.keys() == {"configuration", "network"}
    assert list(translation["configuration"]) == list(SCHEMA)
    assert list(translation["network"]) == list(MANIFEST["ports"])
    for option in translation["configuration"].values():
        assert option.keys() == {"name", "description"}
        assert 1 < len(option["name"]) < 40
        assert option["description"].endswith(".")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", WORDS)
def test_a_translation_explains_every_choice(language: str, name: str) -> None:
    description = TRANSLATIONS[language]["configuration"][name]["description"]
    for word in WORDS[name]:
        assert QUOTES[language].format(word) in description, word


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_translations_are_translated(language: str) -> None:
    for name, english in TRANSLATIONS["en"]["configuration"].items():
        ours = TRANSLATIONS[language]["configuration"][name]
        assert ours["description"] != english["description"]
        # Most of Europe writes a comma where English has a point.
        assert figures(ours["description"]) == figures(english["description"])


def test_there_is_no_other_language() -> None:
    assert {file.name for file in (ROOT / "translations").iterdir()} == {
        f"{language}.yaml" for language in LANGUAGES
    }


def test_links_of_the_documentation_lead_somewhere() -> None:
    """Home Assistant shows it away from the repository, so nothing may be relative."""
    headings = {
        re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", DOCS, re.MULTILINE)
    }
    for target in re.findall(r"\]\(([^)]+)\)", DOCS):
        assert target.startswith("https://") or target.removeprefix("#") in headings, target
    defined = dict(re.findall(r"^\[([\w-]+)\]: (https://\S+)$", DOCS, re.MULTILINE))
    used = set(re.findall(r"\]\[([\w-]+)\]", DOCS))
    assert used == defined.keys()


def test_the_documentation_says_whether_a_model_comes_with_the_app() -> None:
    built_in = any((ROOT / "wyoming_stt" / "builtin").glob("*/"))
    assert ("This version comes without a speech model." in DOCS) is not built_in


def figures(text: str) -> list[str]:
    return [figure.replace(",", ".") for figure in re.findall(r":?\d+(?:[.,]\d+)?", text)]
