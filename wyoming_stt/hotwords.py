"""Hotwords as people write them: `turn on, kitchen :2.5`, or one a line in a file."""

import re
from collections.abc import Iterable
from pathlib import Path

from wyoming_stt.decoding.options import Hotword
from wyoming_stt.errors import SettingsError

__all__ = ["MAX_FILE_BYTES", "parse_hotwords", "read_hotwords"]

MAX_FILE_BYTES = 1_000_000
"""A list of every entity of a large home is a few ten thousand bytes; a model given by mistake is
not read into memory."""

_SCORE = re.compile(r"\s+:(?P<score>[-+]?[0-9.]+)$")


def read_hotwords(value: str) -> tuple[Hotword, ...]:
    """Read the file that `value` names, or `value` itself as a comma-separated list.

    Raises:
        SettingsError: the file cannot be read, or a score is no number.
    """
    path = Path(value).expanduser()
    if not path.is_file():
        if "/" in value or path.suffix == ".txt":
            raise SettingsError(f"hotwords: there is no file {value}")
        return parse_hotwords(value.split(","))
    if path.stat().st_size > MAX_FILE_BYTES:
        raise SettingsError(f"hotwords: {value} is larger than {MAX_FILE_BYTES} bytes")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"hotwords: cannot read {value} as UTF-8 text: {error}") from error
    return parse_hotwords(line for line in lines if not line.lstrip().startswith("#"))


def parse_hotwords(phrases: Iterable[str]) -> tuple[Hotword, ...]:
    """Turn phrases, each with an optional score as in sherpa-onnx (`phrase :2.5`), into hotwords.

    Raises:
        SettingsError: a score is no number.
    """
    return tuple(_hotword(phrase.strip()) for phrase in phrases if phrase.strip())


def _hotword(text: str) -> Hotword:
    match = _SCORE.search(text)
    if match is None:
        return Hotword(text)
    try:
        return Hotword(text[: match.start()], float(match["score"]))
    except ValueError:
        raise SettingsError(f"hotwords: {match['score']!r} in {text!r} is no number") from None
