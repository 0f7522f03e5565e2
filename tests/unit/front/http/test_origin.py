import pytest

from wyoming_stt.front.http.middleware.origin import OriginRules
from wyoming_stt.front.http.options import HttpOptions

RULES = OriginRules(HttpOptions(allow_origin=("https://Panel.example:8123/", "app://obsidian.md")))


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost",
        "http://localhost:3000",
        "https://LOCALHOST:8443",
        "http://127.0.0.1",
        "http://127.0.0.1:10301",
        "http://[::1]",
        "http://[::1]:5173",
        "https://panel.example:8123",
        "app://obsidian.md",
    ],
)
def test_pages_of_this_machine_and_of_the_list_are_allowed(origin: str) -> None:
    assert RULES.allows(origin)


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://localhost.evil.example",
        "http://evil.example",
        "http://evil-localhost",
        "http://localhost@evil.example",
        "http://localhost:80@evil.example",
        "http://evil.example/localhost",
        "http://evil.example#localhost",
        "http://localhost/",
        "http://localhost/x",
        "http://localhost?x",
        "http://localhost#x",
        "http://localhost:",
        "http://localhost:port",
        "http://localhost:99999",
        "http://localhost.",
        "http://localhost\\.evil.example",
        "http://127.0.0.1.evil.example",
        "http://127.0.0.2",
        "http://127.1",
        "http://2130706433",
        "http://0.0.0.0",
        "http://[::]",
        "http://[::ffff:127.0.0.1]",
        "http://[::1",
        "file://",
        "file://localhost",
        "ftp://localhost",
        "localhost",
        "//localhost",
        "https://panel.example",
        "http://panel.example:8123",
        "https://panel.example:81230",
        "http://192.168.1.20:10301",
    ],
)
def test_pages_of_everywhere_else_are_not(origin: str) -> None:
    assert not RULES.allows(origin)


def test_any_origin_may_be_allowed() -> None:
    rules = OriginRules(HttpOptions(cors_allow_any=True))
    assert rules.allows("https://evil.example")
    assert rules.allows("null")
