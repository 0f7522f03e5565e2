"""Sound files as FFmpeg writes them."""

import tempfile
from pathlib import Path

import av
import numpy as np

__all__ = ["encode"]


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
