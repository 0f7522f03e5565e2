import random
import re

from training.grammar import MAX_WORDS, CommandSampler


def test_commands_are_speakable_and_seeded() -> None:
    drawn = [
        [sampler.command() for _ in range(150)] + [sampler.request() for _ in range(150)]
        for sampler in (CommandSampler(random.Random(7), ["word"]) for _ in range(2))
    ]
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) > 200
    for sentence in drawn[0]:
        assert re.fullmatch(r"[a-z' ]+", sentence.replace("-", " ")), sentence
        assert len(sentence.split()) <= MAX_WORDS + 8
