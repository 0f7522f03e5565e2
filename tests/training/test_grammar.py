import random
import re

from hassil.parse_expression import parse_sentence

from training.grammar import MAX_WORDS, NUMBERS, SLOTS, CommandSampler, load_requests


def test_commands_are_speakable_and_seeded() -> None:
    drawn = [
        [sampler.command() for _ in range(150)] + [sampler.request() for _ in range(600)]
        for sampler in (CommandSampler(random.Random(7), ["word"]) for _ in range(2))
    ]
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) > 500
    for sentence in drawn[0]:
        assert re.fullmatch(r"[a-z' ]+", sentence.replace("-", " ")), sentence
        assert len(sentence.split()) <= MAX_WORDS + 8


def test_requests_can_be_read_and_their_slots_are_known() -> None:
    for template in load_requests():
        parse_sentence(template)
        slots = set(re.findall(r"\{(\w+)\}", template))
        assert slots <= {"name", "color", *SLOTS, *NUMBERS}, (
            template
        )  # colours: a list of Home Assistant
