"""Where the HTTP door listens, and that an open network is not served without a token."""

import asyncio
import socket
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from wyoming_stt.errors import SettingsError
from wyoming_stt.front.http.options import HttpOptions

__all__ = ["bind", "read_admin_token", "read_token"]

BACKLOG: Final = 128
MAX_TOKEN_CHARS: Final = 1_024
"""A file that holds more was named by mistake."""


async def bind(options: HttpOptions, token: str | None) -> list[socket.socket]:
    """Listen at every address of `uri`'s host.

    Raises:
        SettingsError: that is not possible, or not safe.
    """
    try:
        url = urlsplit(options.uri)
        host, port = url.hostname, url.port
    except ValueError:
        host = port = None
    if host is None or port is None or url.scheme != "tcp":
        raise SettingsError(f"http.uri: {options.uri!r} is not of the form tcp://host:port")
    sockets: list[socket.socket] = []
    try:
        loop = asyncio.get_running_loop()
        for family, _, _, _, address in await loop.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            _check_is_safe(str(address[0]), options, token)
            sockets.append(socket.create_server(address, family=family, backlog=BACKLOG))
    except OSError as error:
        for bound in sockets:
            bound.close()
        raise SettingsError(
            f"http.uri: cannot listen on {options.uri}: {error}; "
            "name another address with --http-uri, or serve without HTTP with --no-http"
        ) from error
    return sockets


def read_token(options: HttpOptions) -> str | None:
    """Return the token that clients need, from the setting or its file.

    Raises:
        SettingsError: both are set, the file cannot be read, or that is no token.
    """
    return _token("http.api_token", options.api_token, options.api_token_file)


def read_admin_token(options: HttpOptions) -> str | None:
    """Return the token of those who may change what is served; as `read_token`."""
    return _token("http.admin_token", options.admin_token, options.admin_token_file)


def _token(name: str, token: str | None, file: Path | None) -> str | None:
    source = name
    if file is not None:
        if token is not None:
            raise SettingsError(f"{name} and {name}_file are both set: choose one")
        source = f"{name}_file"
        try:
            with file.expanduser().open(encoding="ascii") as opened:
                token = opened.read(MAX_TOKEN_CHARS + len("\n") + 1).strip()
        except UnicodeDecodeError:
            token = ""  # the error would show a part of it
        except OSError as error:
            raise SettingsError(f"{source}: cannot read the token: {error}") from error
    if token is None:
        return None
    # It has to travel in a header; what it is must not be told here.
    if not (token.isascii() and token.isprintable() and 0 < len(token) <= MAX_TOKEN_CHARS):
        raise SettingsError(f"{source}: expected 1 to {MAX_TOKEN_CHARS} printable ASCII characters")
    return token


def _check_is_safe(address: str, options: HttpOptions, token: str | None) -> None:
    if token is None and not options.insecure_no_token and not _is_loopback(address):
        raise SettingsError(
            f"http.uri: whoever reaches {options.uri} could use the server: give a token with "
            "--api-token-file FILE, or say --insecure-no-token where the network is trusted"
        )


def _is_loopback(address: str) -> bool:
    return ip_address(address.partition("%")[0]).is_loopback
