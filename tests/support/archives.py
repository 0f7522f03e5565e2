"""Tar archives, honest ones and others."""

import bz2
import io
import tarfile
from collections.abc import Iterable

__all__ = ["archive", "directory", "entry", "special"]

Member = tuple[tarfile.TarInfo, bytes]


def entry(name: str, content: bytes = b"content") -> Member:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    return info, content


def directory(name: str) -> Member:
    info = tarfile.TarInfo(name)
    info.type = tarfile.DIRTYPE
    return info, b""


def special(name: str, kind: bytes, target: str = "") -> Member:
    """A link, device or pipe."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""


def archive(members: Iterable[Member], *, gnu: bool = False) -> bytes:
    """Return a `.tar.bz2`."""
    kind = tarfile.GNU_FORMAT if gnu else tarfile.PAX_FORMAT
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=kind) as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return bz2.compress(plain.getvalue())
