import random

import pytest

from training.text import normalize, spell_number


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Turn ON the Lights!", "turn on the lights"),
        ("set to 21°", "set to twenty one degrees"),
        ("brightness 50%", "brightness fifty percent"),
        ("what's the air-conditioner's state?", "what's the air conditioner's state"),
        ("'quoted' words", "quoted words"),
        ("2700", "twenty seven hundred"),
        ("21.5", "twenty one point five"),
        ("in 1832, on May 30th", "in eighteen thirty two on may thirtieth"),
        ("1905 and 2005", "nineteen oh five and two thousand and five"),
        ("Mrs. Hale, Mr. and Dr. Thornton", "missus hale mister and doctor thornton"),
        ("", ""),
    ],
)
def test_normalize(written: str, spoken: str) -> None:
    assert normalize(written) == spoken


def test_other_languages_keep_their_letters() -> None:
    assert normalize("Schalte 3 Geräte aus", language="de") == "schalte drei geräte aus"


def test_numbers_are_said_in_several_ways() -> None:
    rng = random.Random(1)
    assert {spell_number("121", rng) for _ in range(50)} == {
        "one hundred and twenty-one",
        "one hundred twenty-one",
    }
