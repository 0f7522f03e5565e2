import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.chunks import cut
from wyoming_stt.audio.pcm import AudioFormat, PcmReader
from wyoming_stt.errors import AudioFormatError

formats = st.builds(AudioFormat, st.just(16_000), st.integers(1, 4), st.integers(1, 8))


def read(audio_format: AudioFormat, *pieces: bytes) -> np.ndarray:
    reader = PcmReader(audio_format)
    return np.concatenate([reader.push(piece) for piece in pieces])


@pytest.mark.parametrize(
    ("width", "pcm", "expected"),
    [
        (1, b"\x00\x80\xff\x40", [-1.0, 0.0, 127 / 128, -0.5]),
        (2, struct.pack("<4h", -32768, 0, 32767, 1), [-1.0, 0.0, 32767 / 32768, 1 / 32768]),
        (3, b"\x00\x00\x80\x00\x00\x00\x00\x00\x40\x01\x00\x00", [-1, 0, 0.5, 2**-23]),
        (4, struct.pack("<4i", -(2**31), 0, 2**30, 2**10), [-1.0, 0.0, 0.5, 2**-21]),
    ],
)
def test_every_width_is_scaled_to_one(width: int, pcm: bytes, expected: list[float]) -> None:
    samples = read(AudioFormat(width=width), pcm)
    assert samples.dtype == np.float32
    assert samples.tolist() == expected


def test_channels_are_averaged() -> None:
    pcm = struct.pack("<6h", 300, -300, 16384, 16384, 1, 2)
    samples = read(AudioFormat(channels=2), pcm)
    assert samples.tolist() == [0.0, 0.5, 1.5 / 32768]


def test_loud_channels_do_not_overflow() -> None:
    pcm = struct.pack("<8i", *[2**31 - 1] * 8)
    assert read(AudioFormat(width=4, channels=8), pcm).tolist() == [1.0]


@given(formats, st.binary(max_size=400), st.data())
def test_any_chunking_gives_the_same_samples(
    audio_format: AudioFormat, pcm: bytes, data: st.DataObject
) -> None:
    whole = read(audio_format, pcm)
    assert len(whole) == len(pcm) // audio_format.frame_bytes
    assert np.array_equal(read(audio_format, b"", *data.draw(cut(pcm))), whole)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate": 7_999},
        {"rate": 48_001},
        {"rate": 16_000.0},
        {"rate": "16000"},
        {"width": 0},
        {"width": 5},
        {"width": True},
        {"channels": 0},
        {"channels": 9},
        {"channels": None},
    ],
)
def test_a_format_we_cannot_read_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(AudioFormatError, match=f"audio {next(iter(wrong))} .* not supported"):
        AudioFormat(**wrong)


def test_seconds_become_whole_frames() -> None:
    audio_format = AudioFormat(rate=44_100, width=3, channels=2)
    assert audio_format.frame_bytes == 6
    assert audio_format.seconds_to_bytes(0.1) == 4_410 * 6
    assert audio_format.seconds_to_bytes(0.00001) == 0
