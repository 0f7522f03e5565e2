"""The clients that people have, against the program as they start it."""

import io
import json
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import httpx_sse
import numpy as np
import openai
import pytest
import soundfile

from tests.support.media import encode
from tests.support.program import run, server, write_recording
from tests.support.shared import MODEL, needs_shared, recordings
from tests.support.uploads import WORDS

KINDS = [
    ("wav", "pcm_s16le", 8_000, "mono"),
    ("flac", "flac", 44_100, "stereo"),
    ("mp3", "mp3", 22_050, "mono"),
    ("ogg", "libopus", 48_000, "mono"),
    ("webm", "libopus", 48_000, "stereo"),
    ("adts", "aac", 32_000, "mono"),
    ("ipod", "aac", 44_100, "mono"),  # M4A, its table at the end
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with server("--model", "fake", patience_s=120) as running:
        yield running.http()


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_recording(tmp_path_factory.mktemp("http") / "recording.wav")


@pytest.fixture
def client(url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)


def curl(*arguments: str | Path) -> str:
    done = subprocess.run(["curl", "-sS", *arguments], capture_output=True, text=True, check=True)
    return done.stdout


# curl


def test_curl_sends_a_file(url: str, recording: Path) -> None:
    answer = json.loads(curl(f"{url}/v1/transcribe", "--data-binary", f"@{recording}"))
    assert answer["text"] == WORDS
    assert [word["word"] for word in answer["words"]] == WORDS.split()
    assert [segment["text"] for segment in answer["segments"]] == [WORDS]
    assert (answer["duration"], answer["language"], answer["model"]) == (1.92, "en", "fake")
    assert 0 <= answer["rtf"] < 1
    assert "diarization" not in answer


def test_curl_sends_a_form(url: str, recording: Path) -> None:
    address = f"{url}/v1/transcribe?language=en&model=fake&hotwords=Jarvis,lamp&hotwords_score=2"
    answer = json.loads(curl(address, "-F", f"file=@{recording}", "-F", "other=ignored"))
    assert answer["text"] == WORDS


@pytest.mark.parametrize(
    ("kind", "media_type", "text"),
    [
        ("text", "text/plain", f"{WORDS}\n"),
        ("srt", "application/x-subrip", f"1\n00:00:00,000 --> 00:00:01,640\n{WORDS}\n"),
        ("vtt", "text/vtt", f"WEBVTT\n\n00:00:00.000 --> 00:00:01.640\n{WORDS}\n"),
    ],
)
def test_formats(url: str, recording: Path, kind: str, media_type: str, text: str) -> None:
    answer = httpx.post(
        f"{url}/v1/transcribe", params={"format": kind}, content=recording.read_bytes()
    )
    assert answer.text == text
    assert answer.headers["content-type"] == f"{media_type}; charset=utf-8"


def test_speakers_are_not_told_apart(url: str, recording: Path) -> None:
    address = f"{url}/v1/transcribe?diarization=true"
    answer = json.loads(curl(address, "--data-binary", f"@{recording}"))
    assert answer["diarization"] == {"reason": "no_speaker_model"}


@pytest.mark.parametrize(("container", "codec", "rate", "layout"), KINDS)
def test_files_of_any_kind(url: str, container: str, codec: str, rate: int, layout: str) -> None:
    body = encode(container, codec, rate=rate, layout=layout, duration_s=2)
    answer = httpx.post(f"{url}/v1/transcribe", content=body).json()
    assert answer["text"].startswith(WORDS)
    assert answer["duration"] == pytest.approx(2, abs=0.1)


def test_vorbis(url: str) -> None:
    file = io.BytesIO()
    noise = np.random.default_rng(1).normal(0, 0.1, (2 * 44_100, 2))
    soundfile.write(file, noise, 44_100, format="OGG", subtype="VORBIS")
    answer = httpx.post(f"{url}/v1/transcribe", content=file.getvalue()).json()
    assert answer["text"].startswith(WORDS)


def test_curl_streams_what_it_reads(url: str, tmp_path: Path) -> None:
    """Without a length, as from a recorder that is still at it."""
    long = write_recording(tmp_path / "long.wav", 20 * 1.92).read_bytes()
    with subprocess.Popen(
        ["curl", "-sSN", "-X", "POST", "-T", ".", f"{url}/v1/transcribe/stream"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(long[: len(long) // 2])
        process.stdin.flush()
        assert b'"type":"partial","text":"turn"' in process.stdout.readline()
        process.stdin.write(long[len(long) // 2 :])
        process.stdin.close()
        lines = [line for line in process.stdout if line.strip()]
    last = json.loads(lines[-1].removeprefix(b"data: "))
    assert (last["type"], last["text"]) == ("final", " ".join([WORDS] * 20))


# httpx-sse


def test_events(url: str, recording: Path) -> None:
    with (
        httpx.Client() as client,
        httpx_sse.connect_sse(
            client, "POST", f"{url}/v1/transcribe/stream", content=recording.read_bytes()
        ) as source,
    ):
        events = [event.json() for event in source.iter_sse()]
    *partials, final = events
    assert {partial["type"] for partial in partials} == {"partial"}
    assert final["type"] == "final"
    assert final["text"] == WORDS
    assert [word["word"] for word in final["words"]] == WORDS.split()
    times = [event["timestamp"] for event in events]
    assert times == sorted(times)
    assert times[-1] == 1.92


# The official client of OpenAI


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
        assert [model.id async for model in client.models.list()] == ["fake"]


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


@pytest.mark.parametrize(
    "fields",
    [
        ["file=@{}", "model=whisper-1", "response_format=text", "language=en", "prompt=Jarvis"],
        ["model=whisper-1", "language=en", "file=@{}", "response_format=text"],
        ["model=whisper-1", "prompt=Jarvis", "response_format=text", "file=@{}"],
    ],
)
def test_fields_in_any_order(url: str, recording: Path, fields: list[str]) -> None:
    form = [part for field in fields for part in ("-F", field.format(recording))]
    assert curl(f"{url}/v1/audio/transcriptions", *form) == f"{WORDS}\n"


def test_a_field_that_comes_too_late(url: str, recording: Path) -> None:
    form = ["-F", "model=whisper-1", "-F", f"file=@{recording}", "-F", "prompt=Jarvis"]
    answer = json.loads(curl(f"{url}/v1/audio/transcriptions", *form))
    assert answer["code"] == "invalid_request"
    assert "after it" in answer["error"]


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


# The disk


def test_a_disk_that_takes_no_more(recording: Path) -> None:
    with server("--model", "fake") as running:
        url = running.http()
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (100_000, 100_000))
        answer = httpx.post(f"{url}/v1/transcribe", content=bytes(1_000_000))
        assert (answer.status_code, answer.json()["code"]) == (503, "saturated")
        short = httpx.post(f"{url}/v1/transcribe", content=recording.read_bytes())
        assert short.json()["text"] == WORDS


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
