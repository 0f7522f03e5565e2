"""What a server says about what it sends need not be so; only what came counts."""

import pytest

from tests.support import hostile_http as http
from tests.support.fetching import CONTENT, DIGEST, QUICK, Fetch
from wyoming_stt.errors import DownloadError

SIZE = len(CONTENT)
ALWAYS = 20


@pytest.mark.parametrize("sha", [None, DIGEST])
@pytest.mark.parametrize("length", [0, 1, 100_000, SIZE - 1, SIZE + 1, SIZE + 100_000])
def test_a_wrong_length_is_found_out(fetch: Fetch, length: int, sha: str | None) -> None:
    fetch.server.page("/file", CONTENT, http.claim(length))
    assert fetch(size=None, sha=sha) == DIGEST
    assert fetch.target.read_bytes() == CONTENT


@pytest.mark.parametrize("length", [0, 100_000, SIZE + 1])
def test_a_server_that_always_lies_is_given_up(fetch: Fetch, length: int) -> None:
    fetch.server.page("/file", CONTENT, *[http.claim(length)] * ALWAYS)
    with pytest.raises(DownloadError, match="4 times"):
        fetch(size=None, sha=None)
    assert not fetch.target.exists()


def test_a_server_that_promises_too_much_is_not_asked_without_end(fetch: Fetch) -> None:
    content = CONTENT * 5
    page = fetch.server.page("/file", content)
    page.faults = [http.claim(len(content) + 1), http.answer(416)] * ALWAYS
    with pytest.raises(DownloadError, match="4 times"):
        fetch(size=None, sha=None)
    assert len(page.requests) <= 2 * QUICK.attempts


def test_a_checksum_counts_more_than_a_length(fetch: Fetch) -> None:
    page = fetch.server.page("/file", CONTENT, *[http.claim(SIZE + 1)] * ALWAYS)
    assert fetch(size=None) == DIGEST
    assert len(page.requests) == 1


def test_what_a_killed_run_left_complete_is_known_by_its_checksum(fetch: Fetch) -> None:
    page = fetch.server.page("/file", CONTENT)
    fetch.part.write_bytes(CONTENT)
    assert fetch(size=None) == DIGEST
    assert page.requests == []


@pytest.mark.parametrize("sha", [None, DIGEST])
@pytest.mark.parametrize("total", [1, 400_000, SIZE - 1, SIZE + 1, 2 * SIZE])
def test_a_wrong_total_of_the_rest_is_found_out(fetch: Fetch, total: int, sha: str | None) -> None:
    fetch.server.page("/file", CONTENT, http.end_early(300_000), http.claim_total(total))
    assert fetch(size=None, sha=sha) == DIGEST
    assert fetch.target.read_bytes() == CONTENT


def test_the_rest_of_something_else_is_not_taken(fetch: Fetch) -> None:
    page = fetch.server.page("/file", CONTENT, http.end_early(300_000), http.other_rest)
    fetch(size=None, sha=None)
    assert fetch.target.read_bytes() == page.content == bytes(SIZE)


def test_a_length_that_nobody_says_may_be_too_short(fetch: Fetch) -> None:
    cut = http.raw(b"HTTP/1.1 200 OK", b"Connection: close", body=CONTENT[:100_000])
    fetch.server.page("/file", CONTENT, cut)
    assert fetch(size=None, sha=None) == DIGEST


def test_a_page_in_its_place_does_not_cost_what_has_arrived(fetch: Fetch) -> None:
    page = b"<html>Please log in</html>"
    length = b"Content-Length: %d" % len(page)
    login = http.raw(b"HTTP/1.1 200 OK", length, b"Connection: close", body=page)
    fetch.server.page("/file", CONTENT, login)
    fetch.part.write_bytes(CONTENT[:400_000])
    with pytest.raises(DownloadError, match="instead of the published"):
        fetch()
    assert fetch.part.read_bytes() == CONTENT[:400_000]


@pytest.mark.parametrize(
    "lines",
    [
        (b"HTTP/1.1 302 Found", b"Location: http://127.0.0.1/\xff\xfe"),
        (b"HTTP/1.1 302 Found", b"Location: http://[::1/"),
        (b"HTTP/1.1 200 OK", b"Content-Length: " + b"9" * 5000),
        (b"HTTP/1.1 200 OK", b"Content-Length: 5, 6"),
        (b"HTTP/1.1 503 Busy", b"Retry-After: Wed, 21 Oct 2015 07:28:00 +99999999999999999999"),
        (b"HTTP/1.1 20x OK",),
        (b"not HTTP at all",),
    ],
)
def test_headers_without_sense_are_an_error_like_others(
    fetch: Fetch, lines: tuple[bytes, ...]
) -> None:
    fetch.server.page("/file", CONTENT, *[http.raw(*lines, b"Connection: close")] * ALWAYS)
    with pytest.raises(DownloadError, match="/file: "):
        fetch(size=None, sha=None)
