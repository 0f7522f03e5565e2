"""Written text to what the model learns to write: lower-case words, numbers spelled out."""

from __future__ import annotations

import random
import re

from num2words import num2words

__all__ = ["normalize", "spell_number"]

_SYMBOLS = {
    "%": " percent ",
    "°": " degrees ",
    "&": " and ",
    "-": " ",
    "\u2019": "'",
    "/": " ",
    "_": " ",
}
_ABBREVIATIONS = {"mr": "mister", "mrs": "missus", "dr": "doctor", "oz": "ounce"}
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th)\b")
_YEARS = range(1101, 2000)
"""Numbers read in two halves: few other things are counted so far and so exactly."""


def spell_number(digits: str, rng: random.Random | None = None, language: str = "en") -> str:
    """Spell a number the way people say it; in English `rng` picks among the ways of saying it."""
    if language != "en":
        return str(num2words(float(digits) if "." in digits else int(digits), lang=language))
    if "." in digits:
        whole, fraction = digits.split(".")
        if fraction == "5" and rng is not None and rng.random() < 0.3:
            return f"{spell_number(whole, rng)} and a half"
        return f"{spell_number(whole, rng)} point {' '.join(num2words(int(d)) for d in fraction)}"
    value = int(digits)
    hundreds = 1000 < value < 10000 and value % 1000 and value % 100 == 0
    if hundreds and (rng is None or rng.random() < 0.5):
        return f"{num2words(value // 100)} hundred"
    if value in _YEARS and (rng is None or rng.random() < 0.5):
        return str(num2words(value, to="year"))
    spelled = num2words(value)
    return spelled.replace(" and ", " ") if rng is not None and rng.random() < 0.5 else spelled


def normalize(text: str, rng: random.Random | None = None, language: str = "en") -> str:
    """Bring text to lower-case letters, apostrophes inside words, and single spaces.

    Numbers, signs and a few abbreviations are spelled out.
    """
    if language == "en":
        text = _ORDINAL.sub(lambda match: num2words(int(match[1]), to="ordinal"), text)
    text = _NUMBER.sub(lambda match: f" {spell_number(match.group(), rng, language)} ", text)
    for symbol, spoken in _SYMBOLS.items() if language == "en" else ():
        text = text.replace(symbol, spoken)
    words = (word.strip("'") for word in re.sub(r"[^\w' ]|[\d_]", " ", text.lower()).split())
    abbreviations = _ABBREVIATIONS if language == "en" else {}
    return " ".join(abbreviations.get(word, word) for word in words if word)
