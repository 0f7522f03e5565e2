"""General English, so that the model learns a language and no grammar."""

from __future__ import annotations

import random
import re
from pathlib import Path

from training.text import normalize

__all__ = ["EnglishSampler", "load_examples", "load_words"]

WORDNET = Path("/usr/share/wordnet")
"""Debian package `wordnet-base`: glosses with example sentences (WordNet licence)."""
WORD_LIST = Path("/usr/share/dict/words")
"""Debian package `wamerican` (public domain and free lists, SCOWL)."""


def load_words(path: Path = WORD_LIST) -> list[str]:
    """Lower-case words of the word list, without possessives and proper names."""
    words = path.read_text(encoding="utf-8").split()
    return [word for word in words if re.fullmatch(r"[a-z]{3,11}", word)]


def load_examples(folder: Path = WORDNET) -> list[str]:
    """Quoted examples and short glosses of WordNet, normalised, 3 to 14 words."""
    found: dict[str, None] = {}
    for name in ("noun", "verb", "adj", "adv"):
        for line in (folder / f"data.{name}").read_text(encoding="utf-8").splitlines():
            if " | " not in line:
                continue
            gloss = line.split(" | ", 1)[1]
            quoted = re.findall(r'"([^"]+)"', gloss)
            plain = gloss.split(";")[0] if not quoted else ""
            for text in (*quoted, plain):
                sentence = normalize(text)
                if 3 <= len(sentence.split()) <= 14 and "(" not in text:
                    found[sentence] = None
    return list(found)


class EnglishSampler:
    """Draws sentences and word strings of general English."""

    def __init__(self, rng: random.Random, words: list[str], examples: list[str]) -> None:
        self._rng = rng
        self._words = words
        self._examples = examples

    def sentence(self) -> str:
        """An example sentence or a gloss."""
        return self._rng.choice(self._examples)

    def passage(self) -> str:
        """Sentences in one breath, as people read or tell them."""
        return " ".join(self.sentence() for _ in range(self._rng.randint(2, 3)))

    def salad(self) -> str:
        """A few unrelated words: nothing to guess from but the sound."""
        return " ".join(self._rng.choice(self._words) for _ in range(self._rng.randint(1, 8)))
