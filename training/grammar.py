"""Random household commands: walks through Home Assistant's templates and our own."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import home_assistant_intents
from hassil.expression import (
    Alternative,
    Expression,
    Group,
    ListReference,
    Permutation,
    RuleReference,
    Sentence,
    TextChunk,
)
from hassil.parse_expression import parse_sentence

from training import phrases
from training.text import normalize

__all__ = ["CommandSampler", "load_requests"]

MAX_WORDS = 16
"""Longer walks are mostly optional words piled up; people do not speak them."""

FREQUENT = (
    "HassTurnOn",
    "HassTurnOff",
    "HassLightSet",
    "HassStartTimer",
    "HassClimateSetTemperature",
    "HassGetState",
)
"""Intents that make up most of what households say; drawn half of the time."""

LISTED = 0.9
"""Share of the slots filled from our lists; the rest gets words that no list holds."""

SLOTS = {
    "area": phrases.AREAS,
    "media": phrases.MEDIA,
    "item": phrases.ITEMS,
    "task": phrases.TASKS,
    "person": phrases.PEOPLE,
    "place": phrases.PLACES,
    "shopping_list_item": phrases.ITEMS,
    "todo_list_item": phrases.TASKS,
    "message": phrases.TASKS,
    "timer_command": (
        "turn off the lights",
        "open the blinds",
        "turn on the fan",
        "lock the door",
        "stop the music",
    ),
    "timer_name": (*phrases.ITEMS, "pizza", "laundry", "tea", "workout", "nap", "homework", "oven"),
    "search_query": phrases.MEDIA,
    "zone": phrases.PLACES,
    "floor": phrases.FLOORS,
    "day": phrases.DAYS,
    "language": phrases.LANGUAGES,
}


def _clock(rng: random.Random) -> str:
    hour, minutes = rng.randint(1, 12), rng.choice((5, 10, 15, 20, 30, 40, 45, 50))
    exact = ("", "", " o'clock", " a m", " p m", " in the morning", " tonight")
    forms = (f"{hour}{rng.choice(exact)}", f"{hour} {minutes}", f"half past {hour}")
    others = (f"a quarter to {hour}", f"a quarter past {hour}", "noon", "midnight")
    return rng.choice((*forms, *forms, *others))


NUMBERS: dict[str, Callable[[random.Random], str]] = {
    "number": lambda rng: str(rng.randint(1, 60)),
    "percent": lambda rng: str(rng.randrange(0, 101, rng.choice((1, 5, 10)))),
    "degrees": lambda rng: str(rng.randint(*rng.choice(((14, 30), (58, 80))))),
    "clock": _clock,
}
"""Slots that no list fills."""


class CommandSampler:
    """Draws normalised commands; the same seed draws the same commands.

    Args:
        rng: Source of chance.
        words: Extra words for the open slots (names, list items), so that no list is closed.
    """

    def __init__(self, rng: random.Random, words: list[str]) -> None:
        self._rng = rng
        self._words = words

    def command(self) -> str:
        """A command of one Home Assistant intent, sometimes with a courtesy around it."""
        rng = self._rng
        while True:
            intent = rng.choice(FREQUENT) if rng.random() < 0.5 else rng.choice(self._intents)
            template = rng.choice(self._templates[intent])
            sentence = normalize(self._walk(_parse(template)), rng)
            if 1 <= len(sentence.split()) <= MAX_WORDS:
                return self._with_courtesy(sentence)

    def request(self) -> str:
        """A household sentence from our own templates, beyond Home Assistant's."""
        sentence = self._walk(_parse(self._rng.choice(load_requests())))
        return self._with_courtesy(normalize(sentence, self._rng))

    def _with_courtesy(self, sentence: str) -> str:
        rng = self._rng
        if rng.random() < 0.12:
            sentence = f"{rng.choice(phrases.PREFIXES)} {sentence}"
        if rng.random() < 0.08:
            sentence = f"{sentence} {rng.choice(phrases.SUFFIXES)}"
        return sentence

    def _walk(self, node: Expression) -> str:  # noqa: PLR0911 - one for each kind of node
        match node:
            case Sentence():
                return self._walk(node.expression)
            case TextChunk():
                return node.text
            case Alternative():
                return self._walk(self._rng.choice(node.items))
            case Permutation():
                return " ".join(
                    self._walk(item) for item in self._rng.sample(node.items, len(node.items))
                )
            case Group():
                return "".join(self._walk(item) for item in node.items)
            case RuleReference():
                return self._walk(_parse(_templates()["expansion_rules"][node.rule_name]))
            case ListReference():
                return self._slot(node.list_name)
            case _:
                raise TypeError(f"unknown template expression {type(node).__name__}")

    def _slot(self, name: str) -> str:
        values = _templates()["lists"].get(name, {})
        if "range" in values:
            span = values["range"]
            number = str(self._rng.randrange(span["from"], span["to"] + 1, span.get("step", 1)))
            return f"{number}.5" if "fractions" in span and self._rng.random() < 0.1 else number
        if "values" in values:
            value = self._rng.choice(values["values"])
            return self._walk(_parse(value["in"] if isinstance(value, dict) else value))
        return self._fill(name)

    def _fill(self, slot: str) -> str:
        rng, is_listed = self._rng, self._rng.random() < LISTED
        match slot:
            case "name" | "entity":
                where = f"{rng.choice(phrases.AREAS)} " if rng.random() < 0.4 else ""
                return where + (rng.choice(phrases.NAMES) if is_listed else self._open_words())
            case "area" if not is_listed:
                return f"{rng.choice(phrases.PEOPLE)}'s room"
            case _ if slot in NUMBERS:
                return NUMBERS[slot](rng)
            case _ if slot in SLOTS and is_listed:
                return rng.choice(SLOTS[slot])
            case _:
                return self._open_words()

    def _open_words(self) -> str:
        return " ".join(self._rng.choice(self._words) for _ in range(self._rng.randint(1, 2)))

    @cached_property
    def _intents(self) -> list[str]:
        return sorted(self._templates)

    @cached_property
    def _templates(self) -> dict[str, list[str]]:
        intents = _templates()["intents"]
        return {
            name: [s for block in i["data"] for s in block["sentences"]]
            for name, i in intents.items()
        }


@cache
def _templates() -> dict[str, Any]:
    path = Path(home_assistant_intents.__file__).parent / "data" / "en.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


@cache
def load_requests() -> list[str]:
    """Our own templates, a line each of `requests.txt`."""
    lines = Path(__file__).with_name("requests.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@cache
def _parse(template: str) -> Sentence:
    return parse_sentence(template)
