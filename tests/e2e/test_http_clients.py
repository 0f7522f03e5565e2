"""The clients that people have, against the program as they start it."""

import io
import json
import resource
import subprocess
from pathlib import Path

import httpx
import httpx_sse
import numpy as np
import pytest
import soundfile

from tests.support.curl import curl
from tests.support.media import encode
from tests.support.program import server, write_recording
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
    assert answer["diarization"] == {"available": False, "reason": "no_speaker_model"}


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


# The disk


def test_a_disk_that_takes_no_more(recording: Path) -> None:
    with server("--model", "fake") as running:
        url = running.http()
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (100_000, 100_000))
        answer = httpx.post(f"{url}/v1/transcribe", content=bytes(1_000_000))
        assert (answer.status_code, answer.json()["code"]) == (503, "saturated")
        short = httpx.post(f"{url}/v1/transcribe", content=recording.read_bytes())
        assert short.json()["text"] == WORDS
