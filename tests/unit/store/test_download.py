"""Whatever the server does, there are the right bytes in the end or a clear error."""

import re
from hashlib import sha256

import pytest

from tests.support import hostile_http as http
from tests.support.fetching import CONTENT, DIGEST, QUICK, Fetch, StopAfter, StopAt
from wyoming_stt.errors import ChecksumError, DownloadError, OfflineError, ShuttingDownError
from wyoming_stt.store.catalog import Remote
from wyoming_stt.store.download import Downloader
from wyoming_stt.store.options import StoreOptions
from wyoming_stt.store.progress import Phase, Step


def test_a_file_arrives_whole_and_leaves_no_part_behind(fetch: Fetch) -> None:
    fetch.server.page("/file", CONTENT)
    assert fetch() == DIGEST
    assert fetch.target.read_bytes() == CONTENT
    assert [path.name for path in fetch.target.parent.iterdir()] == ["file"]
    assert fetch.steps[-1] == Step(Phase.DOWNLOADING, "bpe.model", len(CONTENT), len(CONTENT))


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (http.drop(100_000), "broke off|no connection"),
        (http.end_early(100_000), "broke off|ended after 100000 of 512000 bytes"),
        (http.stall(0.6, 100_000), "nothing came for too long"),
        (http.stall(0.6), "nothing came for too long"),
        (http.trickle(0.05), "only . bytes in"),
        (http.answer(500), "answers 500"),
        (http.answer(503, Retry_After="0"), "answers 503"),
        (http.answer(429, Retry_After="Wed, 21 Oct 2015 07:28:00 GMT"), "answers 429"),
        (http.answer(429, Retry_After="soon"), "answers 429"),
    ],
)
def test_after_a_fault_the_same_address_is_tried_again(
    fetch: Fetch, fault: http.Fault, reason: str
) -> None:
    page = fetch.server.page("/file", CONTENT, fault)
    assert fetch() == DIGEST
    assert fetch.target.read_bytes() == CONTENT
    assert len(page.requests) == 2
    assert re.search(reason, "; ".join(fetch.retries()))


def test_the_server_says_how_long_to_wait(fetch: Fetch) -> None:
    fetch.server.page("/file", CONTENT, http.answer(429, Retry_After="3600"))
    fetch.steps = StopAt(fetch.stop, Phase.RETRYING)
    with pytest.raises(ShuttingDownError):  # and not a second request after a millisecond
        fetch()


def test_it_goes_on_where_it_broke_off(fetch: Fetch) -> None:
    page = fetch.server.page("/file", CONTENT, http.drop(300_000))
    fetch()
    assert page.requests[1]["Range"].startswith("bytes=")
    assert 0 < int(page.requests[1]["Range"][6:-1]) <= 300_000


def test_a_later_run_goes_on_where_a_killed_one_was(fetch: Fetch) -> None:
    page = fetch.server.page("/file", CONTENT)
    fetch.part.write_bytes(CONTENT[:400_000])
    fetch()
    assert page.requests[0]["Range"] == "bytes=400000-"
    assert fetch.target.read_bytes() == CONTENT


def test_what_a_killed_run_left_complete_needs_no_request(fetch: Fetch) -> None:
    page = fetch.server.page("/file", CONTENT)
    fetch.part.write_bytes(CONTENT)
    fetch()
    assert page.requests == []


@pytest.mark.parametrize("left", [b"x" * 1000, b"x" * len(CONTENT), b"x" * (len(CONTENT) + 5)])
def test_a_part_that_is_wrong_is_fetched_anew(fetch: Fetch, left: bytes) -> None:
    fetch.server.page("/file", CONTENT)
    fetch.part.write_bytes(left)
    assert fetch() == DIGEST


def test_a_server_that_ignores_ranges_begins_anew(fetch: Fetch) -> None:
    fetch.server.page("/file", CONTENT, http.drop(300_000), ranges=False)
    assert fetch() == DIGEST


def test_a_server_that_sends_another_part_is_asked_for_all(fetch: Fetch) -> None:
    page = fetch.server.page("/file", CONTENT, http.drop(300_000), http.wrong_part)
    assert fetch() == DIGEST
    assert "Range" not in page.requests[2]


def test_a_stubborn_server_is_given_up_and_the_part_kept(fetch: Fetch) -> None:
    fetch.server.page("/file", CONTENT, *[http.drop(1000)] * 9)
    with pytest.raises(DownloadError, match="4 times"):
        fetch()
    assert 0 < fetch.part.stat().st_size <= 4000
    assert not fetch.target.exists()


def test_tries_that_get_ahead_do_not_count(fetch: Fetch) -> None:
    content = bytes(12 << 20)
    digest = sha256(content).hexdigest()
    fetch.server.page("/file", content, *[http.end_early(2 << 20)] * 5)
    assert fetch(size=len(content), sha=digest) == digest
    assert len(fetch.retries()) >= QUICK.attempts


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_refusal_is_not_tried_again_but_the_next_address_is(fetch: Fetch, status: int) -> None:
    page = fetch.server.page("/file", CONTENT, *[http.answer(status)] * 9)
    fetch.server.page("/mirror", CONTENT)
    assert fetch("/file", "/mirror") == DIGEST
    assert len(page.requests) == 1


def test_an_error_names_every_address_and_reason(fetch: Fetch) -> None:
    fetch.server.page("/file", CONTENT, *[http.answer(500)] * 9)
    with pytest.raises(DownloadError) as failed:
        fetch("/file", "/absent")
    assert "/file: answers 500, 4 times" in str(failed.value)
    assert "/absent: answers 404" in str(failed.value)


def test_wrong_bytes_are_never_kept(fetch: Fetch) -> None:
    fetch.server.page("/file", CONTENT, *[http.wrong_bytes] * 9)
    with pytest.raises(ChecksumError, match=f"expected sha256 {DIGEST}, found"):
        fetch()
    assert not fetch.target.exists()
    assert fetch.part.stat().st_size == 0


def test_wrong_bytes_at_one_address_and_right_ones_at_the_next(fetch: Fetch) -> None:
    fetch.server.page("/file", CONTENT, http.wrong_bytes)
    fetch.server.page("/mirror", CONTENT)
    assert fetch("/file", "/mirror") == DIGEST


def test_more_than_was_published_is_cut_off(fetch: Fetch) -> None:
    fetch.server.page("/file", CONTENT, *[http.without_length(b"x" * 100_000)] * 9)
    with pytest.raises(DownloadError, match="more than the expected 512000 bytes"):
        fetch()


def test_another_length_than_published_is_refused_before_it_is_read(fetch: Fetch) -> None:
    fetch.server.page("/file", CONTENT + b"x")
    with pytest.raises(DownloadError, match="has 512001 bytes instead of the published 512000"):
        fetch()


def test_compressed_content_is_refused(fetch: Fetch) -> None:
    fetch.server.page("/file", CONTENT, http.compressed)
    with pytest.raises(DownloadError, match="compressed"):
        fetch()


def test_a_redirect_is_followed(fetch: Fetch) -> None:
    moved = http.answer(302, Location=fetch.server.url("/there"))
    fetch.server.page("/file", b"", moved)
    fetch.server.page("/there", CONTENT)
    assert fetch() == DIGEST


@pytest.mark.parametrize(
    ("location", "reason"),
    [("/file", "without end"), ("ftp://127.0.0.1/file", "something else"), ("file:///etc", "some")],
)
def test_a_redirect_to_nowhere_is_refused(fetch: Fetch, location: str, reason: str) -> None:
    page = fetch.server.page("/file", CONTENT, *[http.answer(302, Location=location)] * 20)
    with pytest.raises(DownloadError, match=reason):
        fetch()
    assert len(page.requests) <= 6


def test_without_a_checksum_the_rest_is_asked_for_only_of_the_same_content(fetch: Fetch) -> None:
    page = fetch.server.page("/file", CONTENT, http.drop(300_000))
    assert fetch(size=None, sha=None) == DIGEST
    assert page.requests[1]["If-Range"] == page.etag()


def test_without_a_checksum_two_contents_are_never_mixed(fetch: Fetch) -> None:
    page = fetch.server.page("/file", bytes(len(CONTENT)), http.drop(300_000))

    def replaced(handler: object, page: http.Page) -> None:
        page.content = CONTENT
        http.serve(handler, page)

    page.faults.append(replaced)
    assert fetch(size=None, sha=None) == DIGEST


def test_without_a_checksum_or_a_tag_everything_begins_anew(fetch: Fetch) -> None:
    page = fetch.server.page("/file", CONTENT, http.drop(300_000), tag='W/"weak"')
    assert fetch(size=None, sha=None) == DIGEST
    assert "Range" not in page.requests[1]


def test_a_mirror_is_tried_first_and_the_original_after_it(fetch: Fetch) -> None:
    original, mirror = fetch.server.url("/original"), fetch.server.url("/mirror")
    fetch.options = StoreOptions(mirrors=(f"{original}={mirror}",), attempts=1)
    absent = fetch.server.page("/mirror/file", b"", http.answer(404))
    fetch.server.page("/original/file", CONTENT)
    assert fetch("/original/file") == DIGEST
    assert len(absent.requests) == 1


def test_offline_nothing_is_asked_for(fetch: Fetch) -> None:
    page = fetch.server.page("/file", CONTENT)
    fetch.options = StoreOptions(offline=True)
    with pytest.raises(OfflineError, match=r"store\.offline"):
        fetch()
    assert page.requests == []


def test_a_stopped_download_keeps_its_part(fetch: Fetch) -> None:
    fetch.server.page("/file", CONTENT, http.stall(0.5, 200_000))
    fetch.steps = StopAfter(fetch.stop, 100_000)
    with pytest.raises(ShuttingDownError):
        fetch()
    assert fetch.part.stat().st_size > 0
    assert not fetch.target.exists()


def test_the_proxy_of_the_environment_is_used(
    fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A proxy is asked for the whole address; this one answers as if that were a path.
    monkeypatch.setenv("http_proxy", fetch.server.url(""))
    monkeypatch.setenv("no_proxy", "")
    fetch.server.page("http://models.invalid/file", CONTENT)
    remote = Remote(path="a", urls=("http://models.invalid/file",), size=None, sha256=DIGEST)
    downloader = Downloader(QUICK, fetch.steps.append, fetch.stop)
    assert downloader.fetch(remote, fetch.target, DIGEST) == DIGEST
