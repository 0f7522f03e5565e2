"""What a client wishes for its recording, checked: the same for every route."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Self

from wyoming_stt.audio.pcm import AudioFormat
from wyoming_stt.decoding.options import Hotword
from wyoming_stt.engine import UtteranceOptions
from wyoming_stt.errors import UnsupportedLanguageError
from wyoming_stt.front.http.errors import ErrorCode, HttpError
from wyoming_stt.front.http.options import HttpOptions
from wyoming_stt.front.served import ServedModel

__all__ = ["MAX_NAME_CHARS", "Wishes"]

MAX_NAME_CHARS: Final = 100
"""Of a model or a language. Longer ones are no names, and would end up in our log and errors."""
MAX_PROMPT_WORDS: Final = 5
"""Of a phrase in a prompt. Whisper's prompts are often what was said before; whole sentences are
no vocabulary, and a boost for each of their words would be one for all."""
UNDETERMINED: Final = "und"
"""The language of a transcript where the model has several and nobody said which (BCP 47)."""
_BETWEEN_PHRASES: Final = re.compile(r"[,;:\n]|[.!?](?=\s|$)")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is asked for, beyond the defaults."""

    language: str
    """Of the transcript: one of the model's, or `und`."""
    hotwords: tuple[Hotword, ...] = ()

    @classmethod
    def of_phrases(
        cls,
        phrases: str,
        language: str | None,
        model: ServedModel,
        options: HttpOptions,
        *,
        score: float | None = None,
    ) -> Self:
        """Read a list with commas.

        Raises:
            UnsupportedLanguageError: the model does not speak it.
            HttpError: too many phrases, or too long ones.
        """
        hotwords = _phrases(phrases.split(","))
        _check(hotwords, options)
        return cls(_language(language, model), tuple(Hotword(word, score) for word in hotwords))

    @classmethod
    def of_prompt(
        cls, prompt: str, language: str | None, model: ServedModel, options: HttpOptions
    ) -> Self:
        """Read the free text that OpenAI's interface has in the place of hotwords.

        No prompt is refused, since any is good there: what is no vocabulary counts for nothing.

        Raises:
            UnsupportedLanguageError: the model does not speak it.
        """
        hotwords = [
            phrase
            for phrase in _phrases(_BETWEEN_PHRASES.split(prompt))
            if len(phrase) <= options.max_hotword_chars and len(phrase.split()) <= MAX_PROMPT_WORDS
        ]
        return cls(
            _language(language, model), tuple(map(Hotword, hotwords[: options.max_hotwords]))
        )

    def utterance(self, defaults: UtteranceOptions, audio: AudioFormat) -> UtteranceOptions:
        """Lay the wishes over the defaults; the model's own hotwords stay in force."""
        hotwords = defaults.search.hotwords + self.hotwords
        return replace(defaults, format=audio, search=replace(defaults.search, hotwords=hotwords))


def _language(wished: str | None, model: ServedModel) -> str:
    """Return the model's own code for a language, or what it is where nobody said.

    Raises:
        UnsupportedLanguageError: the model does not speak it.
    """
    if not wished:
        return model.only_language or UNDETERMINED
    if (known := model.speaks(wished)) is None:
        raise UnsupportedLanguageError(wished, model.languages)
    return known


def _phrases(texts: Iterable[str]) -> list[str]:
    """Return them in order, each once, without empty ones."""
    return list(dict.fromkeys(text.strip() for text in texts if text.strip()))


def _check(phrases: list[str], options: HttpOptions) -> None:
    if len(phrases) > options.max_hotwords:
        message = f"hotwords: {len(phrases)} phrases are too many: at most {options.max_hotwords}"
        raise HttpError(ErrorCode.INVALID_REQUEST, message, status=422)
    longest = max(map(len, phrases), default=0)
    if longest > options.max_hotword_chars:
        message = (
            f"hotwords: {longest} characters are too many: at most {options.max_hotword_chars}"
        )
        raise HttpError(ErrorCode.INVALID_REQUEST, message, status=422)
