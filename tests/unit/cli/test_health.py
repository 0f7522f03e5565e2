import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from wyoming_stt.__main__ import main
from wyoming_stt.cli.main import app


@contextlib.contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """Answer one client with these bytes, whatever it asks; gives the URI."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.recv(1024)
                client.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"[]\n",
        b'{"type": 3}\n',
        b'{"data": {}}\n',
        b'{"type": "pong"}\n',
        b'{"type": "info", "data": {"asr": 3}}\n',
        b'{"type": "info", "data": {"asr": []}}\n',
        b'{"type": "info", "data": {"asr": [{"name": 1}]}}\n',
        b'{"type": "info", "data_length": 10}\n{"asr"',
    ],
)
def test_another_kind_of_server_is_told(answer: bytes) -> None:
    with answering(answer) as uri:
        result = CliRunner().invoke(app, ["health", "--uri", uri])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"wyoming-stt: {uri}: ")
    assert len(result.stderr.splitlines()) == 1


def test_a_server_that_says_nothing_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        uri = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        result = CliRunner().invoke(app, ["health", "--uri", uri, "--timeout", "0.05"])
    assert result.exit_code == 1
    assert "no answer within 0.05 s" in result.stderr


@pytest.mark.parametrize("options", [(), ("--timeout", "5")])
def test_the_short_way_does_what_the_command_does(
    options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    info = b'{"type": "info", "data": {"asr": [{"name": "a", "models": []}]}}\n'
    with answering(info.replace(b"[]", b'[{"name": "m", "languages": ["en", "de"]}]')) as uri:
        monkeypatch.setattr("sys.argv", ["wyoming-stt", "health", "--uri", uri, *options])
        with pytest.raises(SystemExit) as end:
            main()
    assert end.value.code == 0
    model, answered = capsys.readouterr().out.splitlines()
    assert model == "a: m (en, de)"
    assert answered.startswith(f"{uri}: answered in ")
