import io
import os
import threading
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support.media import encode, with_gap
from wyoming_stt.audio.media import MediaReader
from wyoming_stt.audio.pcm import AudioFormat, PcmReader
from wyoming_stt.errors import AudioFormatError


def samples(reader: MediaReader) -> np.ndarray:
    pcm = PcmReader(reader.format)
    return np.concatenate([np.empty(0, np.float32), *map(pcm.push, reader)])


def loudness(reader: MediaReader) -> float:
    return float(np.sqrt(np.mean(samples(reader) ** 2)))


@pytest.mark.parametrize(
    ("container", "codec", "rate", "layout"),
    [
        ("wav", "pcm_s16le", 16_000, "mono"),
        ("wav", "pcm_u8", 8_000, "mono"),
        ("wav", "pcm_f32le", 44_100, "stereo"),
        ("flac", "flac", 48_000, "5.1"),
        ("mp3", "mp3", 22_050, "stereo"),
        ("ogg", "libopus", 48_000, "mono"),
        ("webm", "libopus", 48_000, "stereo"),
        ("adts", "aac", 32_000, "mono"),
        ("matroska", "aac", 44_100, "stereo"),
    ],
)
def test_any_container(container: str, codec: str, rate: int, layout: str) -> None:
    reader = MediaReader(io.BytesIO(encode(container, codec, rate=rate, layout=layout)))
    assert reader.format == AudioFormat(rate, 4, av.AudioLayout(layout).nb_channels)
    assert loudness(reader) == pytest.approx(0.5 / np.sqrt(2), rel=0.06)


def test_16_bits_come_back_exactly(tmp_path: Path) -> None:
    pcm = np.random.default_rng(0).integers(-(2**15), 2**15, 5_000).astype("<i2")
    file = tmp_path / "noise.wav"
    with av.open(file, "w") as output:
        stream = output.add_stream("pcm_s16le", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
        frame.sample_rate = 16_000
        output.mux(stream.encode(frame))
    reader = MediaReader(file)
    assert reader.duration_s == pytest.approx(5_000 / 16_000)
    assert np.array_equal(samples(reader), PcmReader(AudioFormat()).push(pcm.tobytes()))


@pytest.mark.parametrize(("rate", "served"), [(96_000, 48_000), (4_000, 8_000)])
def test_a_rate_beyond_ours_is_converted(rate: int, served: int) -> None:
    reader = MediaReader(io.BytesIO(encode("wav", "pcm_s16le", rate=rate)))
    assert reader.format.rate == served
    assert len(samples(reader)) == pytest.approx(served, abs=64)


@pytest.mark.parametrize("rate", [500, 738_221_504])
def test_a_rate_that_no_recorder_has_is_refused(rate: int) -> None:
    content = bytearray(encode("wav", "pcm_s16le"))
    content[24:28] = rate.to_bytes(4, "little")
    with pytest.raises(AudioFormatError, match=f"said to be {rate} Hz"):
        MediaReader(io.BytesIO(content))


def test_a_pipe_is_read_to_its_end() -> None:
    pcm = encode("wav", "pcm_s16le", duration_s=3.0)
    read_end, write_end = os.pipe()

    def write() -> None:
        with os.fdopen(write_end, "wb") as file:
            file.write(pcm)

    writer = threading.Thread(target=write)
    writer.start()
    with os.fdopen(read_end, "rb") as file:
        assert len(samples(MediaReader(file))) == 48_000
    writer.join()


def test_a_recording_without_a_sample_is_no_error() -> None:
    reader = MediaReader(io.BytesIO(encode("wav", "pcm_s16le")[:78]))
    assert list(reader) == []


@pytest.mark.parametrize("content", [b"", b"#EXTM3U\n#EXTINF:9,\nhttp://host/a\n", bytes(4_000)])
def test_what_is_no_sound_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "holiday.jpeg"
    file.write_bytes(content)
    with pytest.raises(AudioFormatError, match=r"holiday\.jpeg is no sound file: "):
        MediaReader(file)
    with pytest.raises(AudioFormatError, match="the input is no sound file: "):
        MediaReader(io.BytesIO(content))


def test_a_film_without_sound_is_named() -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as output:
        stream = output.add_stream("mjpeg", rate=1)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuvj420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((24, 16), np.uint8), format="yuvj420p")
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            output.mux(packet)
    with pytest.raises(AudioFormatError, match="no sound file: there is no audio in it"):
        MediaReader(io.BytesIO(file.getvalue()))


def test_damage_is_an_error_that_says_where() -> None:
    flac = encode("flac", "flac", duration_s=4.0)
    reader = MediaReader(io.BytesIO(flac[: len(flac) // 2]))
    with pytest.raises(AudioFormatError, match=r"damaged after [12]\.\d s"):
        list(reader)


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"missing\.wav"):
        MediaReader(tmp_path / "missing.wav")


def test_a_name_like_an_address_is_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = Path("concat:a|b.wav")
    file.write_bytes(encode("wav", "pcm_s16le"))
    assert len(samples(MediaReader(file))) == 16_000


@pytest.mark.parametrize("demuxer", ["concat", "hls"])
def test_what_is_sent_cannot_make_us_open_a_file_of_ours(tmp_path: Path, demuxer: str) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(encode("wav", "pcm_s16le"))
    listing = {
        "concat": f"ffconcat version 1.0\nfile {secret.name}\n",
        "hls": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{secret}\n",
    }[demuxer]
    with pytest.raises(AudioFormatError, match="the input is no sound file"):
        MediaReader(io.BytesIO(listing.encode()))


@pytest.mark.parametrize(
    ("container", "codec", "rate", "most"),
    [
        ("mp3", "mp3", 16_000, 8_192),
        ("ogg", "libopus", 48_000, 16_384),
        ("webm", "libopus", 48_000, 8_192),
        ("adts", "aac", 16_000, 16_384),
        ("wav", "pcm_s16le", 16_000, 73_728),  # FFmpeg looks for a disguised DTS stream first
    ],
)
def test_a_stream_sounds_soon(container: str, codec: str, rate: int, most: int) -> None:
    class Arriving:
        def __init__(self) -> None:
            self.content = io.BytesIO(encode(container, codec, rate=rate, duration_s=20))

        def read(self, size: int = -1) -> bytes:
            return self.content.read(size)

    source = Arriving()
    assert next(iter(MediaReader(source)))
    assert source.content.tell() <= most


def test_a_gap_of_years_is_damage() -> None:
    content = with_gap("matroska", "libopus", first_s=0.0, gap_s=100_000.0)
    with pytest.raises(AudioFormatError, match=r"damaged after 1\.0 s"):
        samples(MediaReader(io.BytesIO(content)))


@pytest.mark.parametrize(("container", "codec"), [("matroska", "libopus"), ("mp4", "aac")])
@pytest.mark.parametrize(("first_s", "gap_s"), [(0.0, 10.0), (5.0, 0.0), (2.0, 3.0)])
def test_what_a_recorder_left_out_is_silence(
    container: str, codec: str, first_s: float, gap_s: float
) -> None:
    content = with_gap(container, codec, first_s=first_s, gap_s=gap_s)
    heard = np.abs(samples(MediaReader(io.BytesIO(content))))
    assert len(heard) / 48_000 == pytest.approx(first_s + 2 + gap_s, abs=0.1)
    loud = np.flatnonzero(heard > 0.2) / 48_000
    assert loud[0] == pytest.approx(first_s, abs=0.1)
    second = first_s + 1 + gap_s
    assert loud[loud > second - min(gap_s, 1) / 2][0] == pytest.approx(second, abs=0.1)
