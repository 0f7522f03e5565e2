import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wyoming.audio import AudioChunk
from wyoming.event import Event, async_write_event

from wyoming_stt.errors import BadRequestError, LimitError
from wyoming_stt.front.wyoming.options import WyomingOptions
from wyoming_stt.front.wyoming.wire import check_line, parse_event, read_event

OPTIONS = WyomingOptions(max_header_bytes=200, max_data_bytes=100, max_payload_bytes=1000)


async def read(stream: bytes, options: WyomingOptions = OPTIONS, *, at_end: bool = True) -> Event:
    reader = asyncio.StreamReader(limit=options.max_header_bytes)
    reader.feed_data(stream)
    if at_end:
        reader.feed_eof()
    return await read_event(reader, await reader.read(1), options)


async def test_event_as_the_package_writes_it() -> None:
    class Sink(list[bytes]):
        write = list.append
        writelines = list.extend

        async def drain(self) -> None: ...

    sink = Sink()
    chunk = AudioChunk(rate=16_000, width=2, channels=1, audio=bytes(range(256)))
    await async_write_event(chunk.event(), sink)
    assert AudioChunk.from_event(await read(b"".join(sink))) == chunk


async def test_data_in_the_line_and_after_it_are_merged() -> None:
    line = {"type": "x", "data": {"a": 1, "b": 1}, "data_length": 8}
    event = await read(json.dumps(line).encode() + b'\n{"b": 2}')
    assert event == Event("x", {"a": 1, "b": 2})


@pytest.mark.parametrize(
    "line",
    [b'{ "type": "describe" }\n', b'{"type":"describe","data":null}\n', b'{"type":"describe"}'],
)
async def test_a_line_alone_is_an_event(line: bytes) -> None:
    assert await read(line) == Event("describe", {})


@pytest.mark.parametrize(
    ("header", "named"),
    [
        (b"\n", "JSON"),
        (b"GET / HTTP/1.1\r\n", "JSON"),
        (b"\xff\xfe\x00\n", "JSON"),
        (b"[" * 100_000 + b"\n", "JSON"),
        (b'{"type":' + b"9" * 5000 + b"}\n", "JSON"),
        (b"[1, 2]\n", "object"),
        (b'"describe"\n', "object"),
        (b"{}\n", "type"),
        (b'{"type": null}\n', "type"),
        (b'{"type": ["describe"]}\n', "type"),
        (b'{"type": "x", "data": [1]}\n', "data"),
        (b'{"type": "x", "data": "a"}\n', "data"),
        (b'{"type": "x", "data_length": "2"}\n', "data_length"),
        (b'{"type": "x", "data_length": true}\n', "data_length"),
        (b'{"type": "x", "payload_length": 1.5}\n', "payload_length"),
        (b'{"type": "x", "payload_length": -1}\n', "payload_length"),
        (b'{"type": "x", "payload_length": {}}\n', "payload_length"),
    ],
)
def test_header_that_is_none(header: bytes, named: str) -> None:
    with pytest.raises(BadRequestError, match=named) as caught:
        check_line(header, OPTIONS)
    assert caught.value.code == "bad-request"


@pytest.mark.parametrize(
    ("field", "setting"),
    [("data_length", "wyoming.max_data_bytes"), ("payload_length", "wyoming.max_payload_bytes")],
)
def test_length_beyond_its_limit(field: str, setting: str) -> None:
    with pytest.raises(LimitError, match=setting):
        check_line(json.dumps({"type": "x", field: 99_999_999_999}).encode(), OPTIONS)


def test_lengths_of_data_and_payload() -> None:
    assert check_line(b'{"type":"x","data_length":100,"payload_length":1000}', OPTIONS) == (
        100,
        1000,
    )
    assert check_line(b'{"type":"x","data_length":null}', OPTIONS) == (0, 0)


@pytest.mark.parametrize(
    "data", [b"{", b"7", b"null", b'"ab"', b"[]", b'[["a", 1]]', b"\xff", b'{"a":' * 50_000]
)
def test_data_that_is_no_object(data: bytes) -> None:
    header = json.dumps({"type": "x", "data_length": len(data)}).encode()
    with pytest.raises(BadRequestError, match="data"):
        parse_event(header, data, b"")


async def test_header_may_be_as_long_as_its_limit_and_no_longer() -> None:
    shell = len(b'{"type": ""}')
    longest = b'{"type": "%s"}' % (b"x" * (OPTIONS.max_header_bytes - shell))
    assert len((await read(longest + b"\n")).type) == OPTIONS.max_header_bytes - shell
    with pytest.raises(LimitError, match="max_header_bytes"):
        await read(longest + b" " * OPTIONS.max_header_bytes + b"\n")
    with pytest.raises(LimitError, match="max_header_bytes"):
        await read(b"x" * 100_000)


@pytest.mark.parametrize(
    "stream",
    [
        b'{"type": "x", "payload_length": 4}\nab',
        b'{"type": "x", "data_length": 4}\n{}',
        b'{"type": "x", "data_length": 4}\n',
        b'{"type": "x", "da',
    ],
)
async def test_event_that_ends_in_its_middle(stream: bytes) -> None:
    with pytest.raises(BadRequestError):
        await read(stream)


async def test_event_that_never_ends() -> None:
    options = WyomingOptions(event_timeout_s=0.01)
    with pytest.raises(LimitError, match="event_timeout_s"):
        await read(b'{"type": "x", "payload_length": 4}\nab', options, at_end=False)


async def test_second_event_follows_the_first() -> None:
    reader = asyncio.StreamReader(limit=OPTIONS.max_header_bytes)
    reader.feed_data(b'{"type":"a","payload_length":3}\n{}\n{"type":"b"}\n')
    first = await read_event(reader, await reader.read(1), OPTIONS)
    second = await read_event(reader, await reader.read(1), OPTIONS)
    assert (first.payload, second.type) == (b"{}\n", "b")


# onnxruntime, told to, makes the thread it is called in drop subnormal numbers.
FLOATS = st.floats(allow_subnormal=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = st.sampled_from(["type", "data", "data_length", "payload_length", "version"])


@given(
    st.binary(max_size=300) | st.dictionaries(FIELDS, JSON).map(json.dumps).map(str.encode),
    st.binary(),
)
def test_any_bytes_are_an_event_or_a_bad_request(header: bytes, rest: bytes) -> None:
    try:
        lengths = check_line(header, OPTIONS)
        event = parse_event(header, rest[: lengths.data], rest[lengths.data :][: lengths.payload])
    except BadRequestError:
        return
    assert isinstance(event.type, str)
    assert isinstance(event.data, dict)
