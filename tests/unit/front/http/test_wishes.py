import pytest

from wyoming_stt.audio.pcm import AudioFormat
from wyoming_stt.decoding.options import Hotword, SearchOptions
from wyoming_stt.engine import UtteranceOptions
from wyoming_stt.errors import UnsupportedLanguageError
from wyoming_stt.front.http.errors import ErrorCode, HttpError
from wyoming_stt.front.http.options import HttpOptions
from wyoming_stt.front.http.wishes import Wishes
from wyoming_stt.front.served import ServedModel

ENGLISH = ServedModel("home-en", ("en",))
BOTH = ServedModel("home", ("en", "de"))
FEW = HttpOptions(max_hotwords=2, max_hotword_chars=6)


def test_phrases() -> None:
    wishes = Wishes.of_phrases(" Jarvis,,lamp , Jarvis", "", ENGLISH, FEW, score=3.0)
    assert wishes.hotwords == (Hotword("Jarvis", 3.0), Hotword("lamp", 3.0))
    assert Wishes.of_phrases("", None, ENGLISH, FEW).hotwords == ()


@pytest.mark.parametrize("phrases", ["a,b,c", "sevenly"])
def test_too_many_or_too_long(phrases: str) -> None:
    with pytest.raises(HttpError) as raised:
        Wishes.of_phrases(phrases, "", ENGLISH, FEW)
    assert raised.value.code is ErrorCode.INVALID_REQUEST
    assert raised.value.status_code == 422


def test_of_a_prompt_only_the_vocabulary_counts() -> None:
    prompt = "The following is what somebody says at home. Jarvis, ESP 2.4!\nlamp"
    words = [word.phrase for word in Wishes.of_prompt(prompt, "", ENGLISH, HttpOptions()).hotwords]
    assert words == ["Jarvis", "ESP 2.4", "lamp"]
    few = Wishes.of_prompt("sevenly, a, b, c", "", ENGLISH, FEW).hotwords
    assert few == (Hotword("a"), Hotword("b"))


@pytest.mark.parametrize(
    ("model", "wished", "language"),
    [(ENGLISH, "", "en"), (ENGLISH, "en-US", "en"), (BOTH, None, "und"), (BOTH, "DE", "de")],
)
def test_language(model: ServedModel, wished: str | None, language: str) -> None:
    assert Wishes.of_prompt("", wished, model, FEW).language == language
    assert Wishes.of_phrases("", wished, model, FEW).language == language


def test_a_language_that_is_not_spoken() -> None:
    with pytest.raises(UnsupportedLanguageError):
        Wishes.of_phrases("", "tlh", ENGLISH, FEW)


def test_the_models_own_hotwords_stay() -> None:
    defaults = UtteranceOptions(search=SearchOptions(hotwords=(Hotword("mine"),)))
    audio = AudioFormat(8_000)
    options = Wishes("en", (Hotword("yours"),)).utterance(defaults, audio)
    assert options.search.hotwords == (Hotword("mine"), Hotword("yours"))
    assert options.format == audio
