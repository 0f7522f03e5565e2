"""Written text to the words the model learns to write: lower case letters and apostrophes, numbers spelled out."""

from __future__ import annotations

import random
import re

from num2words import num2words

__all__ = ["normalize", "spell_number"]

_SYMBOLS = {"%": " percent ", "°": " degrees ", "&": " and ", "-": " ", "’": "'", "/": " ", "_": " "}
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def spell_number(digits: str, rng: random.Random | None = None) -> str:
    """Spell a number the way people say it; with `rng`, pick among several ways of saying it."""
    if "." in digits:
        whole, fraction = digits.split(".")
        if fraction == "5" and rng is not None and rng.random() < 0.3:
            return f"{spell_number(whole, rng)} and a half"
        return f"{spell_number(whole, rng)} point {' '.join(num2words(int(d)) for d in fraction)}"
    value = int(digits)
    hundreds = 1000 < value < 10000 and value % 1000 and value % 100 == 0
    if hundreds and (rng is None or rng.random() < 0.5):
        return f"{num2words(value // 100)} hundred"
    spelled = num2words(value)
    return spelled.replace(" and ", " ") if rng is not None and rng.random() < 0.5 else spelled


def normalize(text: str, rng: random.Random | None = None) -> str:
    """Bring text to the model's alphabet `[a-z' ]`."""
    text = _NUMBER.sub(lambda match: f" {spell_number(match.group(), rng)} ", text)
    for symbol, spoken in _SYMBOLS.items():
        text = text.replace(symbol, spoken)
    text = re.sub(r"[^a-z' ]", " ", text.lower())
    return " ".join(word.strip("'") if word.strip("'") else "" for word in text.split()).strip()
