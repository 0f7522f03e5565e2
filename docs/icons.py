"""Draw the app's icon and logo: a voice that becomes lines of text. Run by scripts/icons.

Shapes are distance fields: for every pixel, how far it lies outside of a shape (negative: inside),
in units of the icon's height. So edges are smooth at any size, and NumPy is all it takes.
"""

import struct
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["ICON", "LOGO", "draw_icon", "draw_logo", "encode_png"]

ROOT: Final = Path(__file__).parents[1]
ICON: Final = ROOT / "icon.png"
LOGO: Final = ROOT / "logo.png"
ICON_SIZE: Final = 256
LOGO_SIZE: Final = (500, 200)
"""Width and height; Home Assistant asks for a square icon and a logo of about 250 by 100."""

Field = NDArray[np.float64]
Colour = tuple[int, int, int]

BUBBLE: Final[Colour] = (32, 78, 138)
VOICE: Final[Colour] = (255, 255, 255)
TEXT: Final[Colour] = (104, 205, 214)

LOUDNESS: Final = (0.10, 0.22, 0.36, 0.20, 0.30, 0.12)
"""Heights of the bars of the voice, left to right."""
LINES: Final = (0.72, 0.5, 0.62)
"""Lengths of the lines of text, top to bottom."""
STROKE: Final = 0.05


def draw_icon(size: int = ICON_SIZE) -> NDArray[np.uint8]:
    """Draw the bubble with a voice in it; returns (size, size, 4) RGBA."""
    canvas = Canvas(size, size)
    canvas.paint(_bubble(canvas, 0.5, 0.42), BUBBLE)
    canvas.paint(_voice(canvas, 0.5), VOICE)
    return canvas.rgba()


def draw_logo(width: int = LOGO_SIZE[0], height: int = LOGO_SIZE[1]) -> NDArray[np.uint8]:
    """Draw the bubble twice as wide, the voice turning into text; returns (height, width, 4)."""
    canvas = Canvas(width, height)
    middle = width / height / 2
    canvas.paint(_bubble(canvas, middle, middle - 0.1), BUBBLE)
    canvas.paint(_voice(canvas, middle - 0.55), VOICE)
    canvas.paint(_text(canvas, middle + 0.1), TEXT)
    return canvas.rgba()


def encode_png(rgba: NDArray[np.uint8]) -> bytes:
    """Encode (height, width, 4) RGBA."""
    height, width, _ = rgba.shape
    # Each row begins with the number of its filter: 0, none.
    rows = np.pad(rgba.reshape(height, width * 4), ((0, 0), (1, 0)))
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)),
            _chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)),
            _chunk(b"IEND", b""),
        )
    )


class Canvas:
    """Transparent at first; x grows to the right, y down, and the height is 1."""

    def __init__(self, width: int, height: int) -> None:
        rows, columns = np.mgrid[0:height, 0:width] + 0.5
        self.x: Field = columns / height
        self.y: Field = rows / height
        self._pixel = 1 / height
        self._colour = np.zeros((height, width, 3))
        self._alpha = np.zeros((height, width))

    def paint(self, distance: Field, colour: Colour) -> None:
        """Fill a shape; its edge is one pixel wide."""
        cover = np.clip(0.5 - distance / self._pixel, 0, 1)
        alpha = cover + self._alpha * (1 - cover)
        mixed = cover[..., None] * np.array(colour)
        mixed += (self._alpha * (1 - cover))[..., None] * self._colour
        self._colour = mixed / np.maximum(alpha, 1e-9)[..., None]
        self._alpha = alpha

    def rgba(self) -> NDArray[np.uint8]:
        """Return the picture."""
        alpha = self._alpha[..., None] * 255
        return np.rint(np.concatenate([self._colour, alpha], axis=2)).astype(np.uint8)


def _bubble(canvas: Canvas, middle: float, half_width: float) -> Field:
    """Draw a speech bubble whose tail points down to the left."""
    body = _box(canvas, middle, 0.44, half_width, 0.36, radius=0.16)
    left = middle - half_width
    tail = _triangle(canvas, (left + 0.14, 0.74), (left + 0.38, 0.74), (left + 0.14, 0.97))
    return np.minimum(body, tail)


def _voice(canvas: Canvas, middle: float) -> Field:
    first = middle - (len(LOUDNESS) - 1) / 2 * 2.1 * STROKE
    bars = (
        _box(canvas, first + number * 2.1 * STROKE, 0.44, STROKE / 2, height / 2 + 0.03)
        for number, height in enumerate(LOUDNESS)
    )
    return _union(bars)


def _text(canvas: Canvas, left: float) -> Field:
    lines = (
        _box(canvas, left + length / 2, 0.29 + number * 0.15, length / 2, STROKE / 2)
        for number, length in enumerate(LINES)
    )
    return _union(lines)


def _union(shapes: Iterable[Field]) -> Field:
    return np.minimum.reduce(list(shapes))


def _box(
    canvas: Canvas,
    x: float,
    y: float,
    half_width: float,
    half_height: float,
    *,
    radius: float | None = None,
) -> Field:
    """Return the distance to a box with round corners; round ends where no radius is given."""
    radius = min(half_width, half_height) if radius is None else radius
    across = np.abs(canvas.x - x) - half_width + radius
    down = np.abs(canvas.y - y) - half_height + radius
    outside = np.hypot(np.maximum(across, 0), np.maximum(down, 0))
    return outside + np.minimum(np.maximum(across, down), 0) - radius


def _triangle(canvas: Canvas, *corners: tuple[float, float]) -> Field:
    """Return the distance to a triangle whose corners follow one another clockwise."""
    sides = []
    for (x0, y0), (x1, y1) in zip(corners, (*corners[1:], corners[0]), strict=True):
        length = np.hypot(x1 - x0, y1 - y0)
        sides.append(((canvas.x - x0) * (y1 - y0) - (canvas.y - y0) * (x1 - x0)) / length)
    return np.maximum.reduce(sides)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


PICTURES: Final[dict[Path, Callable[[], NDArray[np.uint8]]]] = {ICON: draw_icon, LOGO: draw_logo}


def main() -> None:
    """Write both files."""
    for file, draw in PICTURES.items():
        file.write_bytes(encode_png(draw()))


if __name__ == "__main__":
    main()
