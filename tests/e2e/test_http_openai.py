"""The official client of OpenAI, against the program as it is started."""

import json
from pathlib import Path

import openai
import pytest

from tests.support.curl import curl
from tests.support.media import encode
from tests.support.program import run, server
from tests.support.shared import MODEL, needs_shared, recordings
from tests.support.uploads import WORDS


@pytest.fixture
def client(url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)


def test_openai(client: openai.OpenAI, recording: Path) -> None:
    answer = client.audio.transcriptions.create(model="whisper-1", file=recording)
    assert answer.text == WORDS
    assert answer.usage.seconds == 2


@pytest.mark.parametrize("kind", ["text", "srt", "vtt"])
def test_openai_texts(client: openai.OpenAI, recording: Path, kind: str) -> None:
    answer = client.audio.transcriptions.create(
        model="whisper-1", file=recording, response_format=kind
    )
    assert isinstance(answer, str)
    assert WORDS in answer


def test_openai_verbose(client: openai.OpenAI, recording: Path) -> None:
    answer = client.audio.transcriptions.create(
        model="fake",
        file=("recording.wav", recording.read_bytes()),
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
        language="en",
        prompt="Jarvis, living room",
        temperature=0.2,
    )
    assert (answer.language, answer.duration) == ("en", 1.92)
    assert [word.word for word in answer.words] == WORDS.split()
    assert (answer.words[1].start, answer.words[1].end) == (0.32, 0.36)
    assert [(segment.id, segment.text) for segment in answer.segments] == [(0, WORDS)]


def test_openai_streaming(client: openai.OpenAI, recording: Path) -> None:
    stream = client.audio.transcriptions.create(
        model="gpt-4o-mini-transcribe", file=recording, stream=True
    )
    *deltas, done = list(stream)
    assert {delta.type for delta in deltas} == {"transcript.text.delta"}
    assert len(deltas) > 1
    assert "".join(delta.delta for delta in deltas) == done.text == WORDS
    assert done.type == "transcript.text.done"


async def test_openai_async(url: str, recording: Path) -> None:
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none") as client:
        answer = await client.audio.transcriptions.create(model="whisper-1", file=recording)
        assert answer.text == WORDS
        stream = await client.audio.transcriptions.create(
            model="whisper-1", file=recording, stream=True
        )
        assert [event async for event in stream][-1].text == WORDS
        assert "fake" in [model.id async for model in client.models.list()]


@pytest.mark.parametrize(
    ("wishes", "error"),
    [
        ({"model": "large"}, openai.NotFoundError),
        ({"language": "tlh"}, openai.APIStatusError),
        ({"response_format": "diarized_json"}, openai.UnprocessableEntityError),
        ({"file": b"no sound"}, openai.UnprocessableEntityError),
        ({"file": b""}, openai.BadRequestError),
    ],
)
def test_openai_errors(
    client: openai.OpenAI, recording: Path, wishes: dict, error: type[openai.APIStatusError]
) -> None:
    with pytest.raises(error) as raised:
        client.audio.transcriptions.create(**{"model": "whisper-1", "file": recording} | wishes)
    assert isinstance(raised.value.body, str)  # the sentence for people
    assert raised.value.response.json()["code"]


def test_openai_hears_of_an_error_in_the_middle_of_a_stream(
    client: openai.OpenAI, tmp_path: Path
) -> None:
    whole = encode("flac", "flac", duration_s=5)
    broken = tmp_path / "broken.flac"
    broken.write_bytes(whole[: len(whole) // 2] + bytes(len(whole) // 2))
    with pytest.raises(openai.APIError) as raised:
        list(client.audio.transcriptions.create(model="whisper-1", file=broken, stream=True))
    assert raised.value.code == "invalid_audio"


# Forms as others write them


@pytest.mark.parametrize(
    "fields",
    [
        ["file=@{}", "model=whisper-1", "response_format=text", "language=en", "prompt=Jarvis"],
        ["model=whisper-1", "language=en", "file=@{}", "response_format=text"],
        ["model=whisper-1", "file=@{}", "response_format=text", "language=en", "prompt=Jarvis"],
        ["model=whisper-1", "prompt=Jarvis", "response_format=text", "file=@{}"],
    ],
)
def test_fields_in_any_order(url: str, recording: Path, fields: list[str]) -> None:
    form = [part for field in fields for part in ("-F", field.format(recording))]
    assert curl(f"{url}/v1/audio/transcriptions", *form) == f"{WORDS}\n"


def test_fields_behind_the_file_count_as_much(url: str, recording: Path) -> None:
    def answer(late: str) -> dict:
        form = ["-F", "prompt=Jarvis", "-F", f"file=@{recording}", "-F", late]
        return json.loads(curl(f"{url}/v1/audio/transcriptions", *form))

    assert answer("language=en-US")["text"] == WORDS
    assert answer("language=tlh")["code"] == "unsupported_language"
    assert answer("model=large")["code"] == "model_not_found"


def test_who_wants_events_may_say_so_behind_the_file(url: str, recording: Path) -> None:
    form = ["-F", "model=whisper-1", "-F", f"file=@{recording}", "-F", "stream=true"]
    delta, done, last = curl(f"{url}/v1/audio/transcriptions", *form).split("\n\n")[:3]
    assert json.loads(delta.removeprefix("data: "))["delta"] == WORDS
    assert json.loads(done.removeprefix("data: "))["text"] == WORDS
    assert last == "data: [DONE]"


@pytest.mark.parametrize(
    ("late", "code", "message"),
    [
        ("prompt=Jarvis", "invalid_request", "when words had left"),
        ("response_format=pdf", "invalid_request", "response_format: Input should be 'json'"),
        (f"model={'m' * 101}", "invalid_request", "model: String should have at most"),
        ("language=tlh", "unsupported_language", "tlh"),
    ],
)
def test_a_field_that_comes_when_words_have_left_already(
    url: str, recording: Path, late: str, code: str, message: str
) -> None:
    form = ["-F", "stream=true", "-F", f"file=@{recording}", "-F", late]
    *_, last = curl(f"{url}/v1/audio/transcriptions", *form).strip().split("\n\n")
    error = json.loads(last.removeprefix("data: "))["error"]
    assert error["code"] == code
    assert message in error["message"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["-d", "model=whisper-1"], "invalid_request"),
        (["-F", "model=whisper-1"], "invalid_request"),
        (["-F", "stream=maybe", "-F", "file=@{}"], "invalid_request"),
        (["-F", "timestamp_granularities[]=syllable", "-F", "file=@{}"], "invalid_request"),
        (["-H", "Content-Type: multipart/form-data", "-d", "x"], "invalid_request"),
        (["-X", "POST"], "invalid_request"),
    ],
)
def test_forms_that_are_refused(url: str, recording: Path, arguments: list[str], code: str) -> None:
    filled = [argument.format(recording) for argument in arguments]
    assert json.loads(curl(f"{url}/v1/audio/transcriptions", *filled))["code"] == code


# The real model


@needs_shared
@pytest.mark.slow
def test_the_same_words_as_from_the_command_line() -> None:
    spoken = recordings("librispeech-other-a", 2)
    with server("--model-dir", MODEL, patience_s=120) as running:
        url = running.http()
        client = openai.OpenAI(base_url=f"{url}/v1", api_key="none")
        for one in spoken:
            done = run("transcribe", "--model-dir", MODEL, one.path)
            heard = client.audio.transcriptions.create(model="whisper-1", file=one.path)
            assert heard.text
            assert heard.text == done.stdout.strip()
            stream = client.audio.transcriptions.create(
                model="whisper-1", file=one.path, stream=True
            )
            assert list(stream)[-1].text == heard.text
