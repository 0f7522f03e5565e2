"""`serve`, `say` and `health` as a user runs them."""

import signal
import socket
from pathlib import Path

import pytest
from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.event import Event
from wyoming.info import Describe, Info

from tests.support.program import run, server, write_recording

LAYOUT = {"rate": 16_000, "width": 2, "channels": 1}
LOUD = AudioChunk(audio=b"\x00\x20" * 7_680, **LAYOUT)


def client_of(uri: str) -> AsyncTcpClient:
    host, port = uri.removeprefix("tcp://").split(":")
    return AsyncTcpClient(host, int(port), connect_timeout=10, read_timeout=10)


async def answer(client: AsyncTcpClient, kind: type) -> Event:
    """Read events up to the first of a kind."""
    while event := await client.read_event():
        if kind.is_type(event.type):
            return event
    raise AssertionError(f"hung up without {kind.__name__}")


def test_a_recording_said_to_the_server_comes_back_as_words(tmp_path: Path) -> None:
    recording = write_recording(tmp_path / "recording.wav", rate=44_100)
    with server("--model", "fake", "--set", "vad.kind=off") as running:
        uri = running.listening()
        running.wait_for("Ready: model fake")
        health = run("health", "--uri", uri)
        assert (health.returncode, health.stderr) == (0, "")
        assert "fake (en)" in health.stdout
        said = run("say", "--fast", "--uri", uri, recording)
        transcribed = run("transcribe", "--model", "fake", recording)
        assert (said.returncode, said.stdout) == (0, transcribed.stdout)
        assert "ms after the last audio" in said.stderr
        assert running.stop() == 0
        assert running.log.rstrip().endswith("Stopped")
        assert "turn on" not in running.log
        assert run("health", "--uri", uri).returncode == 1


async def test_an_open_utterance_may_end_while_the_server_stops() -> None:
    with server("--model", "fake", "--set", "vad.kind=off") as running:
        async with client_of(running.listening()) as client:
            running.wait_for("Ready")
            await client.write_event(AudioStart(**LAYOUT).event())
            await client.write_event(LOUD.event())
            await client.write_event(Describe().event())
            await answer(client, Info)
            running.process.send_signal(signal.SIGINT)
            running.wait_for("Stopping")
            await client.write_event(LOUD.event())
            await client.write_event(AudioStop().event())
            transcript = Transcript.from_event(await answer(client, Transcript))
            assert transcript.text == "turn on the"
        assert running.wait() == 0


def test_a_signal_during_the_start_is_a_clean_end_too() -> None:
    with server("--model", "fake") as running:
        running.listening()
        assert running.stop() == 0


async def test_a_second_signal_ends_at_once() -> None:
    with server("--model", "fake", "--set", "wyoming.drain_s=20") as running:
        async with client_of(running.listening()) as client:
            await client.write_event(AudioStart(**LAYOUT).event())
            await client.write_event(LOUD.event())
            await client.write_event(Describe().event())
            await answer(client, Info)
            running.process.send_signal(signal.SIGTERM)
            running.wait_for("Stopping")
            assert running.stop() == -signal.SIGTERM


async def test_a_model_that_cannot_be_loaded_is_explained_and_replaced(tmp_path: Path) -> None:
    with server("--model-dir", tmp_path, "--language", "vi") as running:
        async with client_of(running.listening()) as client:
            running.wait_for("Ready: model home-en")
            assert f"home-en serves instead: {tmp_path}/tokens.txt: expected" in running.log
            await client.write_event(Describe().event())
            info = Info.from_event(await answer(client, Info))
            assert info.asr[0].models[0].languages == ["en"]
            await client.write_event(AudioStart(**LAYOUT).event())
            await client.write_event(LOUD.event())
            await client.write_event(AudioStop().event())
            await answer(client, Transcript)
        assert running.stop() == 0
        assert "Traceback" not in running.log


@pytest.mark.parametrize(
    ("arguments", "exit_code", "reason"),
    [
        (["--model", "absent"], 2, "see wyoming-stt models list"),
        (["--model", "fake", "--set", "wyoming.drain=1"], 2, "did you mean wyoming.drain_s?"),
        (["--model", "fake", "--config", "absent.yaml"], 2, "absent.yaml"),
        (["--model", "fake", "--uri", "udp://x"], 2, "tcp://host:port"),
    ],
)
def test_what_cannot_be_served_is_told_in_one_line(
    arguments: list[str], exit_code: int, reason: str
) -> None:
    with server(*arguments) as running:
        assert running.wait() == exit_code
        assert reason in running.log.splitlines()[-1]
        assert "Traceback" not in running.log


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        uri = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        with server("--model", "fake", "--uri", uri) as running:
            assert running.wait() == 2
            assert f"cannot listen on {uri}" in running.log
            assert "Traceback" not in running.log


def test_settings_come_from_the_file_and_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("model: {name: fake, languages: [no, nn]}\nlog: {level: debug}\n")
    monkeypatch.setenv("WYOMING_STT_LOG__LEVEL", "info")
    with server("--config", file) as running:
        assert "fake (no, nn)" in run("health", "--uri", running.listening()).stdout
        assert running.stop() == 0
        assert "DEBUG" not in running.log


def test_nobody_at_home_is_told(tmp_path: Path) -> None:
    recording = str(write_recording(tmp_path / "recording.wav"))
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        uri = f"tcp://127.0.0.1:{unused.getsockname()[1]}"
        for command in (["health"], ["say", recording]):
            done = run(*command, "--uri", uri)
            assert (done.returncode, done.stdout) == (1, "")
            assert uri in done.stderr
            assert len(done.stderr.splitlines()) == 1
