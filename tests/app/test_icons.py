"""The pictures are drawn by docs/icons.py, in the sizes that Home Assistant asks for."""

from pathlib import Path

import av
import numpy as np
import pytest

from docs.icons import ICON, LOGO, PICTURES, draw_icon, encode_png


def decode(file: Path) -> np.ndarray:
    with av.open(str(file)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgba")


@pytest.mark.parametrize("file", PICTURES, ids=lambda file: file.name)
def test_a_picture_is_as_it_is_drawn(file: Path) -> None:
    drawn = PICTURES[file]().astype(int)
    # The last bit of a sine or a root is the processor's own.
    assert np.abs(decode(file).astype(int) - drawn).max() <= 1, "run ./scripts/icons"


def test_sizes_are_those_asked_for() -> None:
    height, width, _ = decode(ICON).shape
    assert (width, height) == (256, 256)
    height, width, _ = decode(LOGO).shape
    assert width == 2.5 * height
    assert max(ICON.stat().st_size, LOGO.stat().st_size) < 20_000


def test_a_picture_is_transparent_around_its_shapes() -> None:
    alpha = draw_icon(64)[..., 3]
    assert alpha[0, 0] == 0
    assert alpha[32, 32] == 255
    assert 0 < ((alpha > 0) & (alpha < 255)).mean() < 0.1


def test_any_size_can_be_encoded(tmp_path: Path) -> None:
    file = tmp_path / "icon.png"
    drawn = draw_icon(33)
    file.write_bytes(encode_png(drawn))
    assert (decode(file) == drawn).all()
