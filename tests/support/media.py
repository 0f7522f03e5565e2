"""Sound files as FFmpeg writes them."""

import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

__all__ = ["encode", "with_gap"]


def encode(
    container: str,
    codec: str,
    *,
    rate: int = 16_000,
    layout: str = "mono",
    duration_s: float = 1.0,
    options: dict[str, str] | None = None,
) -> bytes:
    """A tone of 440 Hz at half scale, the same in all channels."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tone"
        with av.open(file, "w", format=container, options=options or {}) as output:
            stream = output.add_stream(codec, rate=rate, layout=layout)
            time = np.arange(round(duration_s * rate)) / rate
            tone = (np.sin(2 * np.pi * 440 * time) * 16_384).astype(np.int16)
            planes = np.tile(tone, (stream.channels, 1))
            frame = av.AudioFrame.from_ndarray(planes, format="s16p", layout=layout)
            frame.sample_rate = rate
            for packet in [*stream.encode(frame), *stream.encode(None)]:
                output.mux(packet)
        return file.read_bytes()


def with_gap(container: str, codec: str, *, first_s: float, gap_s: float) -> bytes:
    """Two seconds of the tone, the first at `first_s` after a picture, the second `gap_s` later."""
    rate = 48_000
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tone"
        with av.open(file, "w", format=container) as output:
            picture = output.add_stream("mpeg4", rate=1)
            picture.width = picture.height = 16
            stream = output.add_stream(codec, rate=rate, layout="mono")
            image = av.VideoFrame(16, 16, "yuv420p")
            image.pts = 0
            packets = [*picture.encode(image), *picture.encode(None)]
            time = np.arange(rate) / rate
            tone = (np.sin(2 * np.pi * 440 * time) * 16_384).astype(np.int16)[None]
            for start_s in (first_s, first_s + 1 + gap_s):
                frame = av.AudioFrame.from_ndarray(tone, format="s16p", layout="mono")
                frame.sample_rate, frame.pts = rate, round(start_s * rate)
                frame.time_base = Fraction(1, rate)
                packets += stream.encode(frame)
            for packet in [*packets, *stream.encode(None)]:
                output.mux(packet)
        return file.read_bytes()
