import asyncio
from collections.abc import AsyncIterator, Iterable

import pytest
from hypothesis import given

from tests.support.chunks import cut
from wyoming_stt.front.http.errors import ErrorCode, HttpError
from wyoming_stt.front.http.multipart import MAX_FIELD_BYTES, MAX_FIELDS, Form, is_form

TYPE = 'multipart/form-data; boundary="b"'
SOUND = b"\r\n--sound\x00\xff--b"


def part(name: str, value: bytes, extra: str = "") -> bytes:
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'.encode() + (
        value + b"\r\n"
    )


END = b"--b--\r\n"
FILE = part("file", SOUND, '; filename="a \\"b\\".wav"\r\nContent-Type: audio/wav')


async def body(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def read(*chunks: bytes, content_type: str = TYPE) -> tuple[dict, bytes, dict]:
    """Return the fields before the file, the file, and all fields."""
    form = Form(content_type, body(chunks))
    file = await form.file()
    before = dict(form.fields)
    return before, b"".join([piece async for piece in file]), dict(form.fields)


WHOLE = (
    part("a", b"1") + part("b[]", b"x") + part("b[]", b"") + FILE + part("c", "é".encode()) + END
)


@given(cut(WHOLE))
def test_however_it_arrives(chunks: list[bytes]) -> None:
    before, file, fields = asyncio.run(read(*chunks))
    assert before == {"a": ["1"], "b[]": ["x", ""]}
    assert file == SOUND
    assert fields == before | {"c": ["é"]}


async def test_the_file_is_passed_on_before_its_end() -> None:
    arrived = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield FILE[:-8]
        await arrived.wait()
        yield FILE[-8:] + END

    file = await Form(TYPE, slow()).file()
    assert (await anext(file)).startswith(b"\r\n--s")
    arrived.set()
    assert b"".join([piece async for piece in file])


@pytest.mark.parametrize(
    ("chunks", "code"),
    [
        ([], ErrorCode.EMPTY_BODY),
        ([END], ErrorCode.INVALID_REQUEST),
        ([part("a", b"1"), END], ErrorCode.INVALID_REQUEST),
        ([b"nonsense"], ErrorCode.INVALID_REQUEST),
        ([FILE], ErrorCode.INVALID_REQUEST),
        ([FILE[:-20]], ErrorCode.INVALID_REQUEST),
        ([FILE, FILE, END], ErrorCode.INVALID_REQUEST),
        ([part("a", b"\xff"), FILE, END], ErrorCode.INVALID_REQUEST),
        ([b"--b\r\nX: y\r\n\r\n1\r\n", FILE, END], ErrorCode.INVALID_REQUEST),
        ([b"--b\r\nX: " + b"y" * 100_000], ErrorCode.INVALID_REQUEST),
        ([b"--b\r\n" + b"X: y\r\n" * 1_000], ErrorCode.INVALID_REQUEST),
        ([part("a", b"1") * (MAX_FIELDS + 1), FILE, END], ErrorCode.INVALID_REQUEST),
        ([part("a", b"1" * (MAX_FIELD_BYTES + 1)), FILE, END], ErrorCode.INVALID_REQUEST),
    ],
)
async def test_what_is_refused(chunks: list[bytes], code: ErrorCode) -> None:
    with pytest.raises(HttpError) as raised:
        await read(*chunks)
    assert raised.value.code is code


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/form-data; boundary=" + "b" * 1_000]
)
async def test_a_boundary_is_needed(content_type: str) -> None:
    with pytest.raises(HttpError, match=r"[Bb]oundary"):
        await read(FILE, END, content_type=content_type)


def test_what_is_a_form() -> None:
    assert is_form("Multipart/Form-Data; boundary=x")
    assert not any(map(is_form, ("", "audio/wav", "application/x-www-form-urlencoded", ";;;")))
