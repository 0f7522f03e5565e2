"""One `describe` round trip over a plain socket: all of a health check.

A container asks every 30 s, on a Raspberry Pi too, so most of the cost would be starting Python:
asyncio, the `wyoming` package and typer take several times as long as the question. Nothing here
imports them.
"""

import json
import socket
import sys
import time
from typing import Any, Final
from urllib.parse import urlsplit

from wyoming_stt.cli.choices import DEFAULT_TIMEOUT_S

__all__ = ["NotSpeechToTextError", "describe", "parse_info", "probe"]

MAX_ANSWER_BYTES: Final = 4_194_304
"""Far more than any server has to say of itself; less than would hurt the machine."""


class NotSpeechToTextError(Exception):
    """Whoever answered is not a Wyoming speech-to-text server."""


def probe(uri: str, timeout_s: float = DEFAULT_TIMEOUT_S) -> int:
    """Say what a server serves, or on standard error why it does not; returns the exit code."""
    started = time.monotonic()
    try:
        programs = describe(uri, timeout_s)
    except TimeoutError:
        return _failed(uri, f"no answer within {timeout_s:g} s")
    except (OSError, ValueError) as error:
        return _failed(uri, str(error))
    except NotSpeechToTextError:
        return _failed(uri, "not a Wyoming speech-to-text server")
    elapsed_ms = (time.monotonic() - started) * 1000
    lines = [*programs, f"{uri}: answered in {elapsed_ms:.0f} ms"]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def describe(uri: str, timeout_s: float) -> list[str]:
    """Ask a server what it serves: a line for each of its models.

    Raises:
        TimeoutError: the answer was not complete in time.
        OSError: there is no connection.
        ValueError: the URI is neither tcp:// nor unix://.
        NotSpeechToTextError: the answer is another one.
    """
    deadline = time.monotonic() + timeout_s
    with _connect(uri, timeout_s) as connection:
        connection.sendall(b'{"type": "describe"}\n')
        received = b""
        while (info := parse_info(received)) is None:
            connection.settimeout(_left(deadline))
            piece = connection.recv(65_536)
            received += piece
            if not piece or len(received) > MAX_ANSWER_BYTES:
                raise NotSpeechToTextError
    return _models(info)


def parse_info(received: bytes) -> dict[str, Any] | None:
    """Read the data of an `info` event; None while there is more to come.

    Raises:
        NotSpeechToTextError: this will never be one.
    """
    line, newline, rest = received.partition(b"\n")
    if not newline:
        return None
    try:
        header = json.loads(line)
        if header["type"] != "info":
            raise NotSpeechToTextError
        length = header.get("data_length") or 0
        if len(rest) < length:
            return None
        # Data may be in the line, after it, or both: what comes after wins.
        return {**(header.get("data") or {}), **json.loads(rest[:length] or b"{}")}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise NotSpeechToTextError from error


def _models(info: dict[str, Any]) -> list[str]:
    try:
        models = [
            f"{program['name']} {program.get('version') or ''}".rstrip()
            + f": {model['name']} ({', '.join(model['languages'])})"
            for program in info["asr"]
            for model in program["models"]
        ]
    except (LookupError, TypeError, AttributeError) as error:
        raise NotSpeechToTextError from error
    # Servers that only speak, or wait for a wake word, list none.
    if not models:
        raise NotSpeechToTextError
    return models


def _connect(uri: str, timeout_s: float) -> socket.socket:
    url = urlsplit(uri)
    match url.scheme:
        case "tcp" if url.hostname and url.port is not None:
            return socket.create_connection((url.hostname, url.port), timeout_s)
        case "unix" if url.path:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.settimeout(timeout_s)
                connection.connect(url.path)
            except OSError:
                connection.close()
                raise
            return connection
    raise ValueError("not of the form tcp://host:port or unix:///path")


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _failed(uri: str, reason: str) -> int:
    sys.stderr.write(f"wyoming-stt: {uri}: {reason}\n")
    return 1
