"""Event sequences that no server should serve, made from seeds.

Each mistake is one by construction: whatever random things lie around it, a server that follows the
protocol must refuse it.
"""

import json
import random
from collections.abc import Callable
from typing import Any, Final

from tests.support.wyoming_door import FORMAT

LIMITS: Final = {
    "max_header_bytes": 4096,
    "max_data_bytes": 8192,
    "max_payload_bytes": 20_000,
    "max_names": 20,
    "max_name_chars": 40,
}
"""Settings under which the mistakes are mistakes, smaller than usual to keep the test quick."""

Rng = random.Random
HALF_A_PAIR: Final = "\ud800"


def malformed(rng: Rng) -> bytes:
    """Return events of which the last is wrong, and perhaps more after it."""
    mistake = rng.choice(MISTAKES)
    tail = frame(rng, "describe") + rng.randbytes(rng.randrange(50)) if rng.random() < 0.3 else b""
    return b"".join(prelude(rng)) + mistake(rng) + (tail if mistake is not cut_short else b"")


def damaged(rng: Rng) -> bytes:
    """Return an utterance in which bytes have changed, gone or come; it may still be a good one."""
    stream = bytearray(b"".join(prelude(rng)) + start(rng) + chunk(rng) + frame(rng, "audio-stop"))
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(stream))
        match rng.randrange(3):
            case 0:
                stream[at] ^= 1 << rng.randrange(8)
            case 1:
                del stream[at : at + rng.randrange(1, 20)]
                stream = stream or bytearray(b"{")
            case _:
                stream[at:at] = rng.randbytes(rng.randrange(1, 20))
    return bytes(stream)


def prelude(rng: Rng) -> list[bytes]:
    """Some events that are right, and leave no utterance open."""
    good = [
        lambda: frame(rng, "describe"),
        lambda: frame(rng, "ping", {"text": text(rng)}),
        lambda: frame(
            rng, text(rng), {text(rng): json_value(rng)}, rng.randbytes(rng.randrange(99))
        ),
        lambda: frame(rng, "transcribe", {"transcript_names": [text(rng), text(rng)]}),
        lambda: start(rng) + chunk(rng) + frame(rng, "audio-stop"),
    ]
    return [rng.choice(good)() for _ in range(rng.randrange(3))]


def frame(rng: Rng, kind: str, data: dict[str, Any] | None = None, payload: bytes = b"") -> bytes:
    """Write an event, its data in the line or after it."""
    header: dict[str, Any] = {"type": kind}
    body = b""
    if data is not None and rng.random() < 0.5:
        body = json.dumps(data).encode()
        header["data_length"] = len(body)
    elif data is not None:
        header["data"] = data
    if payload:
        header["payload_length"] = len(payload)
    return json.dumps(header).encode() + b"\n" + body + payload


def start(rng: Rng) -> bytes:
    return frame(rng, "audio-start", FORMAT)


def chunk(rng: Rng) -> bytes:
    return frame(rng, "audio-chunk", FORMAT, rng.randbytes(rng.randrange(1, 4000)))


def text(rng: Rng) -> str:
    return "".join(rng.choices("aeiou xyzßλ✓", k=rng.randint(1, 12)))


def json_value(rng: Rng, depth: int = 0) -> Any:
    makers: list[Callable[[], Any]] = [
        lambda: None,
        lambda: rng.random() < 0.5,
        lambda: rng.randrange(-(2**70), 2**70),
        lambda: rng.uniform(-1e9, 1e9),
        lambda: text(rng),
    ]
    if depth < 3:
        makers += [
            lambda: [json_value(rng, depth + 1) for _ in range(rng.randrange(4))],
            lambda: {text(rng): json_value(rng, depth + 1) for _ in range(rng.randrange(4))},
        ]
    return rng.choice(makers)()


def value_that_is_no(rng: Rng, *kinds: type) -> Any:
    while isinstance(value := json_value(rng), kinds) and not (
        isinstance(value, bool) and bool not in kinds
    ):
        pass
    return value


# The mistakes.


def no_json(rng: Rng) -> bytes:
    return b"\0" + rng.randbytes(rng.randrange(200)).replace(b"\n", b"") + b"\n"


def no_object(rng: Rng) -> bytes:
    return json.dumps(value_that_is_no(rng, dict)).encode() + b"\n"


def nested_too_deep(rng: Rng) -> bytes:
    return (
        rng.choice([b"[", b'{"a":']) * rng.randrange(100, LIMITS["max_header_bytes"] // 5) + b"\n"
    )


def no_type(rng: Rng) -> bytes:
    header = {"data": {}} if rng.random() < 0.3 else {"type": value_that_is_no(rng, str)}
    return json.dumps(header).encode() + b"\n"


def no_data(rng: Rng) -> bytes:
    value = value_that_is_no(rng, dict, type(None))
    if rng.random() < 0.5:
        return json.dumps({"type": "x", "data": value}).encode() + b"\n"
    body = rng.choice([json.dumps(value).encode(), b"{" + rng.randbytes(9), b"null", b"{}{}"])
    return json.dumps({"type": "x", "data_length": len(body)}).encode() + b"\n" + body


def no_length(rng: Rng) -> bytes:
    field = rng.choice(["data_length", "payload_length"])
    value = rng.choice([value_that_is_no(rng, int, type(None)), -rng.randint(1, 2**70)])
    return json.dumps({"type": text(rng), field: value}).encode() + b"\n"


def length_too_large(rng: Rng) -> bytes:
    part = rng.choice(["data", "payload"])
    value = LIMITS[f"max_{part}_bytes"] + rng.choice([1, 1000, 10**11, 2**64])
    return json.dumps({"type": text(rng), f"{part}_length": value}).encode() + b"\n" + b"\0" * 100


def line_too_long(rng: Rng) -> bytes:
    return rng.choice([b"x", b" ", b"{"]) * (LIMITS["max_header_bytes"] + rng.randrange(1, 9000))


def cut_short(rng: Rng) -> bytes:
    whole = frame(rng, "audio-chunk", FORMAT, rng.randbytes(rng.randrange(1, 3000)))
    return start(rng) + whole[: rng.randrange(1, len(whole))]


def field_missing(rng: Rng) -> bytes:
    without = {name: value for name, value in FORMAT.items() if name != rng.choice(list(FORMAT))}
    without.pop(rng.choice(list(FORMAT)), None)
    wrong = [
        lambda: frame(rng, "audio-start", without),
        lambda: start(rng) + frame(rng, "audio-chunk", without, b"\0\0"),
        lambda: frame(rng, "select-program", {}),
    ]
    return rng.choice(wrong)()


def field_of_wrong_type(rng: Rng) -> bytes:
    name = rng.choice(list(FORMAT))
    none = type(None)
    wrong = [
        lambda: frame(rng, "audio-start", FORMAT | {name: value_that_is_no(rng, int)}),
        lambda: start(rng) + frame(rng, "audio-chunk", FORMAT | {name: value_that_is_no(rng, int)}),
        lambda: frame(rng, "transcribe", {"language": value_that_is_no(rng, str, none)}),
        lambda: frame(rng, "transcribe", {"context": value_that_is_no(rng, dict, none)}),
        lambda: frame(rng, "transcribe", {"transcript_names": value_that_is_no(rng, list, none)}),
        lambda: frame(rng, "transcribe", {"transcript_terms": [value_that_is_no(rng, str)]}),
        lambda: frame(rng, "transcribe", {"context": {"a": [HALF_A_PAIR]}}),
        lambda: frame(rng, "select-program", {"name": value_that_is_no(rng, str)}),
        lambda: frame(rng, "ping", {"text": value_that_is_no(rng, str, none)}),
        lambda: frame(rng, "ping", {"text": HALF_A_PAIR}),
    ]
    return rng.choice(wrong)()


def out_of_order(rng: Rng) -> bytes:
    wrong = [
        lambda: chunk(rng),
        lambda: frame(rng, "audio-stop"),
        lambda: start(rng) + start(rng),
        lambda: start(rng) + chunk(rng) + frame(rng, "transcribe", {}),
        lambda: start(rng) + chunk(rng) + frame(rng, "audio-stop") + chunk(rng),
        lambda: start(rng) + frame(rng, "audio-chunk", FORMAT | {"rate": 8_000}, b"\0\0"),
    ]
    return rng.choice(wrong)()


def not_served(rng: Rng) -> bytes:
    wrong = [
        lambda: frame(rng, "transcribe", {"name": text(rng)}),
        lambda: frame(rng, "transcribe", {"language": "x" + text(rng)}),
        lambda: frame(rng, "select-program", {"name": text(rng)}),
        lambda: frame(rng, "audio-start", FORMAT | {"rate": rng.choice([0, -1, 7_999, 2**65])}),
        lambda: frame(rng, "audio-start", FORMAT | {"width": rng.choice([0, -2, 5, 2**65])}),
        lambda: frame(rng, "audio-start", FORMAT | {"channels": rng.choice([0, -1, 9, 2**65])}),
    ]
    return rng.choice(wrong)()


def too_many(rng: Rng) -> bytes:
    field = rng.choice(["transcript_names", "transcript_terms"])
    most, longest = LIMITS["max_names"], LIMITS["max_name_chars"]
    phrases = rng.choice([["a"] * (most + 1), ["a", "b" * (longest + 1)]])
    return frame(rng, "transcribe", {field: phrases})


MISTAKES: Final = (
    no_json,
    no_object,
    nested_too_deep,
    no_type,
    no_data,
    no_length,
    length_too_large,
    line_too_long,
    cut_short,
    field_missing,
    field_of_wrong_type,
    out_of_order,
    not_served,
    too_many,
)
