"""Whether a file whose checksum nobody publishes can be what it is taken for.

What comes first is held to from then on, so it must be neither the page of a portal or a proxy, nor
what stands in for a file in a repository, nor half of the file.
"""

from pathlib import Path
from typing import Final

from wyoming_stt.errors import ModelFileError
from wyoming_stt.models.onnx_metadata import read_metadata

__all__ = ["GRAPHS", "implausible"]

GRAPHS: Final = ".onnx"
_PAGES: Final = (b"<!doctype", b"<html", b"<head", b"<body", b"<?xml", b"version https://git-lfs")
_BZIP2: Final = b"BZh"


def implausible(path: Path, name: str) -> str | None:
    """Tell why a file of this name cannot be right; None where nothing speaks against it."""
    with path.open("rb") as file:
        start = file.read(1024)
    if not start:
        return "it is empty"
    if start.lstrip().lower().startswith(_PAGES):
        return "a web page came in its place"
    if name.endswith(".bz2") and not start.startswith(_BZIP2):
        return "it is not packed with bzip2"
    if name.endswith(GRAPHS):
        try:
            read_metadata(path)
        except ModelFileError as error:
            return str(error).removeprefix(f"{path}: ")
    return None
