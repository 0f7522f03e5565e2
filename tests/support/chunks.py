"""Cut what arrives in one piece into pieces of any size."""

from collections.abc import Sequence
from typing import TypeVar

from hypothesis import strategies as st

S = TypeVar("S", bound=Sequence)


@st.composite
def cut(draw: st.DrawFn, whole: S, most: int = 12) -> list[S]:
    """Draw up to `most` cuts, some of them at the same place, so that pieces may be empty."""
    cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=most)))
    return [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]


def every(whole: S, size: int) -> list[S]:
    """Cut into pieces of one size; the last may be shorter."""
    return [whole[start : start + size] for start in range(0, len(whole), size)]
