"""What a client wishes for its next utterance: the `transcribe` event, checked."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from wyoming.event import Event

from wyoming_stt.audio.endpoint import SENSITIVITY_SILENCE_S, EndpointOptions
from wyoming_stt.audio.pcm import AudioFormat
from wyoming_stt.decoding.options import Hotword
from wyoming_stt.engine import UtteranceOptions
from wyoming_stt.errors import LimitError, UnknownModelError, UnsupportedLanguageError
from wyoming_stt.front.served import ServedModel
from wyoming_stt.front.wyoming.messages import TranscribeData, check
from wyoming_stt.front.wyoming.options import WyomingOptions

__all__ = ["Wishes", "read_wishes"]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What `transcribe` asked for; the defaults are what its absence means."""

    language: str | None = None
    """One of the model's own codes."""
    context: dict[str, Any] | None = None
    """Given back with the transcript, untouched."""
    vad_sensitivity: str | None = None
    hotwords: tuple[Hotword, ...] = ()

    def utterance(
        self, defaults: UtteranceOptions, audio_format: AudioFormat, options: WyomingOptions
    ) -> UtteranceOptions:
        """Lay the wishes over the defaults; the model's own hotwords stay in force."""
        hotwords = defaults.search.hotwords + self.hotwords
        return replace(
            defaults,
            format=audio_format,
            search=replace(defaults.search, hotwords=hotwords),
            endpoint=self._endpoint(defaults) if options.ends_utterances else None,
        )

    def _endpoint(self, defaults: UtteranceOptions) -> EndpointOptions:
        # A word that a later protocol may add means the default to us, as it does to the package.
        if self.vad_sensitivity in SENSITIVITY_SILENCE_S:
            return EndpointOptions.from_sensitivity(self.vad_sensitivity)
        return defaults.endpoint or EndpointOptions.from_sensitivity("default")


def read_wishes(event: Event, model: ServedModel, options: WyomingOptions) -> Wishes:
    """Read a `transcribe` event.

    Raises:
        BadRequestError: a field of the wrong type.
        LimitError: too many phrases, or too long ones.
        UnknownModelError: it names a model other than the one served.
        UnsupportedLanguageError: the model does not speak the language.
    """
    data = check(TranscribeData, event)
    _check_lengths("name", [data.name or ""], options)
    if data.name not in {None, model.name}:
        raise UnknownModelError(str(data.name), (model.name,))
    _check_lengths("language", [data.language or ""], options)
    language = None if data.language is None else model.speaks(data.language)
    if data.language is not None and language is None:
        raise UnsupportedLanguageError(data.language, model.languages)
    names = _phrases("transcript_names", data.transcript_names, options)
    terms = _phrases("transcript_terms", data.transcript_terms, options)
    return Wishes(
        language=language,
        context=data.context,
        vad_sensitivity=data.vad_sensitivity,
        hotwords=tuple(_hotwords(names, terms, options)),
    )


def _phrases(field: str, phrases: list[str] | None, options: WyomingOptions) -> dict[str, None]:
    """Return the phrases in order, each once, without empty ones."""
    phrases = phrases or []
    if len(phrases) > options.max_names:
        raise LimitError(
            f"transcribe: {field}: {len(phrases)} phrases are too many",
            f"{options.max_names} phrases",
            "wyoming.max_names",
        )
    _check_lengths(field, phrases, options)
    return dict.fromkeys(phrase.strip() for phrase in phrases if phrase.strip())


def _hotwords(
    names: Iterable[str], terms: Iterable[str], options: WyomingOptions
) -> Iterator[Hotword]:
    yield from (Hotword(name, options.names_score) for name in names)
    yield from (Hotword(term, options.terms_score) for term in terms if term not in names)


def _check_lengths(field: str, texts: Iterable[str], options: WyomingOptions) -> None:
    longest = max(map(len, texts), default=0)
    if longest > options.max_name_chars:
        raise LimitError(
            f"transcribe: {field}: {longest} characters are too many",
            f"{options.max_name_chars} characters",
            "wyoming.max_name_chars",
        )
