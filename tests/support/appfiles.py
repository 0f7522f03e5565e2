"""The files by which Home Assistant knows the app, as it reads them."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
LANGUAGES = ("de", "en", "es", "fr", "nl")


def read_yaml(name: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


MANIFEST = read_yaml("config.yaml")
TRANSLATIONS = {language: read_yaml(f"translations/{language}.yaml") for language in LANGUAGES}
