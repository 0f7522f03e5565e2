import pytest
import requests

from wyoming_stt.store.replies import read_reply

FAR = "Wed, 21 Oct 2015 07:28:00 +99999999999999999999"


def response(status: int, *urls: str, **headers: str) -> requests.Response:
    hops = []
    for url in urls or ("https://models.example/file",):
        hop = requests.Response()
        hop.status_code, hop.url = status, url
        hops.append(hop)
    last = hops.pop()
    last.history = hops
    last.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return last


def test_encryption_is_never_given_up_on_the_way() -> None:
    hops = ("https://a.example/", "http://b.example/", "https://c.example/")
    assert "without encryption" in read_reply(response(200, *hops), 0).refusal
    assert read_reply(response(200, "http://a.example/", "https://c.example/"), 0).refusal == ""


def test_a_part_goes_on_where_the_last_ended() -> None:
    reply = read_reply(response(206, Content_Range="bytes 10-99/100"), 10)
    assert (reply.total, reply.restart, reply.refusal, reply.interruption) == (100, False, "", "")
    assert read_reply(response(206, Content_Range="bytes 10-99/*"), 10).total is None


@pytest.mark.parametrize("value", ["bytes 9-99/100", "bytes */100", "lines 10-99/100", "", "10"])
def test_another_part_is_of_no_use(value: str) -> None:
    reply = read_reply(response(206, Content_Range=value), 10)
    assert reply.restart
    assert reply.interruption


@pytest.mark.parametrize("value", ["bytes 10-9/100", "bytes 10-100/100", "bytes 10-99/5"])
def test_a_part_outside_of_the_file_is_of_no_use(value: str) -> None:
    reply = read_reply(response(206, Content_Range=value), 10)
    assert reply.restart
    assert reply.interruption


def test_a_file_of_another_size_is_refused_before_anything_is_thrown_away() -> None:
    reply = read_reply(response(200, Content_Length="99"), 0, 100)
    assert (reply.restart, reply.refusal) == (False, "has 99 bytes instead of the published 100")
    assert "more than a model" in read_reply(response(200, Content_Length="9" * 15), 0).refusal


@pytest.mark.parametrize("value", ["-1", "1e9", "٣", "", "many", "9" * 5000])
def test_a_length_that_is_none_is_unknown(value: str) -> None:
    assert read_reply(response(200, Content_Length=value), 0).total is None


@pytest.mark.parametrize("tag", ['W/"a"', "a", '"' + "a" * 300 + '"', ""])
def test_only_a_strong_tag_counts(tag: str) -> None:
    assert read_reply(response(200, ETag=tag), 0).tag is None
    assert read_reply(response(200, ETag='"a"'), 0).tag == '"a"'


@pytest.mark.parametrize(("value", "seconds"), [("7", 7.0), ("soon", 0.0), ("", 0.0), (FAR, 0.0)])
def test_retry_after_in_seconds(value: str, seconds: float) -> None:
    assert read_reply(response(503, Retry_After=value), 0).wait_s == seconds
