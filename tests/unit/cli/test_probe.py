import json
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from wyoming_stt.cli.probe import NotSpeechToTextError, describe, parse_info

DATA = {"asr": [{"name": "a", "version": "1", "models": [{"name": "m", "languages": ["en"]}]}]}
AFTER_THE_LINE = json.dumps(DATA).encode()
SPLIT = (
    json.dumps({"type": "info", "data": {"asr": []}, "data_length": len(AFTER_THE_LINE)}).encode()
    + b"\n"
    + AFTER_THE_LINE
)
INLINE = json.dumps({"type": "info", "data": DATA}).encode() + b"\n"


@pytest.mark.parametrize("answer", [SPLIT, INLINE])
def test_an_answer_is_read_whole_and_not_before(answer: bytes) -> None:
    for end in range(len(answer)):
        assert parse_info(answer[:end]) is None
    assert parse_info(answer) == DATA
    assert parse_info(answer + b'{"type": "pong"}\n') == DATA


@pytest.mark.parametrize(
    "line",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"[]\n",
        b'"info"\n',
        b'{"data": {}}\n',
        b'{"type": "pong"}\n',
        b'{"type": "info", "data_length": "many"}\n',
        b'{"type": "info", "data": 3}\n',
        b'{"type": "info", "data_length": 2}\n[]',
        b'{"type": "info", "data_length": 3}\n{"a',
        b"[" * 100_000 + b"\n",
        b"\xff\n",
    ],
)
def test_another_answer_is_told_apart(line: bytes) -> None:
    with pytest.raises(NotSpeechToTextError):
        parse_info(line)


def test_a_server_may_listen_on_a_socket_file(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.recv(1024)
                client.sendall(SPLIT)

        thread = threading.Thread(target=serve)
        thread.start()
        assert describe(f"unix://{path}", 10) == ["a 1: m (en)"]
        thread.join()


@pytest.mark.parametrize("uri", ["", "tcp://localhost", "udp://x:1", "unix://", "tcp://x:port"])
def test_another_kind_of_uri_is_refused(uri: str) -> None:
    with pytest.raises(ValueError, match=r"tcp://host:port|port"):
        describe(uri, 1)


def test_a_socket_file_without_a_server_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        describe(f"unix://{tmp_path}/absent", 1)


def test_a_check_does_not_load_what_costs_more_than_itself() -> None:
    script = (
        "import sys, wyoming_stt.__main__ as program\n"
        "sys.argv[1:] = ['health', '--uri', 'unix:///absent']\n"
        "try: program.main()\n"
        "except SystemExit as end: assert end.code == 1\n"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "/absent" in done.stderr
    loaded = set(done.stdout.split())
    assert "wyoming_stt.cli.probe" in loaded
    assert not loaded & {"asyncio", "typer", "wyoming", "pydantic", "numpy", "onnxruntime"}
