import socket
from pathlib import Path

import pytest

from wyoming_stt.errors import SettingsError
from wyoming_stt.front.http.binding import bind, read_token
from wyoming_stt.front.http.options import HttpOptions

SECRET = "correct-horse"  # noqa: S105 - as good as any


async def bound(uri: str, token: str | None = None, **options: object) -> list[tuple[str, int]]:
    sockets = await bind(HttpOptions(uri=uri, **options), token)
    names = [one.getsockname()[:2] for one in sockets]
    for one in sockets:
        one.close()
    return names


async def test_port_0_is_any_free_one() -> None:
    [(host, port)] = await bound("tcp://127.0.0.1:0")
    assert host == "127.0.0.1"
    assert port > 0


async def test_every_address_of_a_name_is_listened_on() -> None:
    assert "127.0.0.1" in [host for host, _ in await bound("tcp://localhost:0")]


@pytest.mark.parametrize(
    "uri", ["", "127.0.0.1:1", "udp://127.0.0.1:1", "tcp://127.0.0.1", "tcp://:1", "tcp://a:b"]
)
async def test_what_is_no_address_is_told(uri: str) -> None:
    with pytest.raises(SettingsError, match=r"http\.uri.*tcp://host:port"):
        await bound(uri)


async def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        uri = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(SettingsError, match=f"cannot listen on {uri}.*--http-uri.*--no-http"):
            await bound(uri)


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]"])  # noqa: S104
async def test_an_open_network_needs_a_token(host: str) -> None:
    uri = f"tcp://{host}:0"
    with pytest.raises(SettingsError, match=r"--api-token-file.*--insecure-no-token"):
        await bound(uri)
    assert await bound(uri, SECRET)
    assert await bound(uri, insecure_no_token=True)


def test_no_token_is_none() -> None:
    assert read_token(HttpOptions()) is None


def test_a_token_is_a_setting_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{SECRET}\n")
    assert read_token(HttpOptions(api_token=SECRET)) == SECRET
    assert read_token(HttpOptions(api_token_file=file)) == SECRET
    with pytest.raises(SettingsError, match="choose one"):
        read_token(HttpOptions(api_token=SECRET, api_token_file=file))


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"two\nlines", b"caf\xc3\xa9", b"correct\xffhorse", b"x" * 100_000]
)
def test_what_is_no_token_is_told_without_showing_it(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(SettingsError, match=r"^http\.api_token_file: ") as caught:
        read_token(HttpOptions(api_token_file=file))
    shown = str(caught.value).replace(str(file), "")
    assert not any(word in shown for word in ("two", "caf", "horse", "xxx"))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot read the token.*absent"):
        read_token(HttpOptions(api_token_file=tmp_path / "absent"))


def test_a_token_is_in_no_text_about_the_settings() -> None:
    assert SECRET not in repr(HttpOptions(api_token=SECRET))
