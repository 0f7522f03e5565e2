"""The HTTP door beside Wyoming's: how it starts, what it logs and counts, how it ends."""

import re
import signal
import socket
import subprocess
import threading
from pathlib import Path

import httpx
import pytest

from tests.support.http_door import connected
from tests.support.program import PROGRAM, run, server, write_recording
from tests.support.uploads import events, post, wav


def test_one_server_two_doors_one_count(tmp_path: Path) -> None:
    recording = write_recording(tmp_path / "recording.wav")
    with server("--model", "fake", "--set", "vad.kind=off", "--metrics") as running:
        uri, url = running.listening(), running.http()
        running.wait_for("Try it: curl")
        assert run("say", "--fast", "--uri", uri, recording).returncode == 0
        with httpx.Client(base_url=url) as client:
            health = client.get("/health").json()
            assert (health["status"], health["model"]) == ("ok", "fake")
            assert client.get("/ready").json()["status"] == "ready"
            metrics = client.get("/metrics").text
        for expected in (
            'utterances_total{door="wyoming",outcome="ok"} 1.0',
            'active_streams{door="wyoming"} 0.0',
            "audio_seconds_total 1.9",
            'final_latency_seconds_count{door="wyoming"} 1.0',
            'model_state{state="ready"} 1.0',
            'http_requests_total{method="GET",route="/health",status="200"} 1.0',
        ):
            assert f"wyoming_stt_{expected}" in metrics
        assert running.stop() == 0
        assert re.search(r"wyoming: 1\.92 s of audio, queue \d+ ms, decode \d+ ms", running.log)


def test_a_requests_name_is_in_all_its_lines() -> None:
    with server("--model", "fake", "--log-level", "debug") as running:
        with httpx.Client(base_url=running.http()) as client:
            for name in ("kitchen-1", "hall 2"):
                answer = client.get("/v1/models/absent", headers={"X-Request-Id": name})
                assert answer.headers["X-Request-Id"] == name
            unnamed = client.get("/health").headers["X-Request-Id"]
        assert running.stop() == 0
    for name in ("kitchen-1", "hall 2"):
        lines = [line for line in running.log.splitlines() if f"[{name}] " in line]
        assert len(lines) == 2, "why, and how it ended"
        assert "model_not_found" in lines[0]
        assert "GET /v1/models/{model_id} 404" in lines[1]
    assert f"[{unnamed}] GET /health 200" in running.log


def test_no_http_is_no_http() -> None:
    with server("--model", "fake", "--no-http") as running:
        running.wait_for("Ready: ")
        assert running.stop() == 0
        assert "HTTP" not in running.log
        assert "curl" not in running.log


def test_standard_input_is_one_client_and_there_is_no_other_door() -> None:
    done = subprocess.run(
        [*PROGRAM, "serve", "--model", "fake", "--uri", "stdio://"],
        input=b'{"type": "describe"}\n',
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0
    assert b'"asr"' in done.stdout
    assert b"HTTP on" not in done.stderr


def test_a_port_that_is_taken_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        uri = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        with server("--model", "fake", "--http-uri", uri) as running:
            assert running.wait() == 2
            last = running.log.splitlines()[-1]
            assert last.startswith(f"wyoming-stt: http.uri: cannot listen on {uri}: ")
            assert "--no-http" in last
            assert "Traceback" not in running.log


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--http-uri", "http://127.0.0.1:1"), "tcp://host:port"),
        (("--api-token-file", "absent"), "http.api_token_file: cannot read the token"),
        (("--set", "http.drain_s=0"), "drain_s must be 1 or more"),
        (("--set", "http.tokn=correct-horse"), "did you mean http."),
    ],
)
def test_what_cannot_be_served_is_told_in_one_line(arguments: tuple[str, str], reason: str) -> None:
    with server("--model", "fake", *arguments) as running:
        assert running.wait() == 2
        assert reason in running.log.splitlines()[-1]
        assert "Traceback" not in running.log
        assert "correct-horse" not in running.log


def test_a_server_that_stops_hangs_up_on_those_who_do_nothing() -> None:
    with server("--model", "fake") as running:
        url = httpx.URL(running.http())
        with httpx.Client(base_url=url) as client:
            assert client.get("/health").status_code == 200
            with socket.create_connection((url.host, url.port)) as silent:
                assert running.stop() == 0
                assert silent.recv(1) == b""
        assert running.log.rstrip().endswith("Stopped")
        assert "Traceback" not in running.log


def test_a_server_that_stops_takes_nothing_new_and_lets_an_upload_end(tmp_path: Path) -> None:
    recording = write_recording(tmp_path / "recording.wav").read_bytes()
    arrived, stopping = threading.Event(), threading.Event()

    def body():
        yield recording[: len(recording) // 2]
        arrived.set()
        stopping.wait(20)
        yield recording[len(recording) // 2 :]

    with server("--model", "fake", "--set", "vad.kind=off") as running:
        url = running.http()
        answers: list[httpx.Response] = []

        def upload() -> None:
            answers.append(httpx.post(f"{url}/v1/transcribe", content=body(), timeout=20))

        uploading = threading.Thread(target=upload)
        uploading.start()
        with httpx.Client(base_url=url) as client:
            assert arrived.wait(20)
            running.process.send_signal(signal.SIGTERM)
            running.wait_for("Stopping")
            refused = client.post("/v1/transcribe", content=recording)
            assert (refused.status_code, refused.json()["code"]) == (503, "shutting_down")
            assert "Retry-After" not in refused.headers
            ready = client.get("/ready")
            assert (ready.status_code, ready.json()["reason"]) == (503, "shutting_down")
            assert client.get("/health").status_code == 200
        stopping.set()
        uploading.join(20)
        assert answers[0].status_code == 200
        assert answers[0].json()["text"] == "turn on the kitchen light please"
        assert running.wait() == 0


FORM = (
    b'--b\r\nContent-Disposition: form-data; name="stream"\r\n\r\ntrue\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
)


@pytest.mark.parametrize(
    ("route", "head", "kind", "last_words"),
    [
        ("/v1/transcribe/stream", b"", "audio/wav", "final"),
        ("/v1/audio/transcriptions", FORM, "multipart/form-data; boundary=b", "delta"),
    ],
)
async def test_a_server_that_stops_gives_a_stream_its_last_words_and_says_that_it_stops(
    route: str, head: bytes, kind: str, last_words: str
) -> None:
    sound = wav(60)
    with server("--model", "fake", "--set", "vad.kind=off", "--set", "http.drain_s=2") as running:
        url = running.http()
        async with connected(url) as (reader, writer):
            # The rest of it never comes.
            writer.write(post(route, len(head + sound), Content_Type=kind) + head)
            writer.write(sound[: len(sound) // 10])
            heard = events(reader)
            await anext(heard)
            running.process.send_signal(signal.SIGTERM)
            *_, before, last = [event async for event in heard]
        assert before["type"].endswith(last_words)
        assert "shutting_down" in str(last)
        assert running.wait() == 0
        assert "Traceback" not in running.log
